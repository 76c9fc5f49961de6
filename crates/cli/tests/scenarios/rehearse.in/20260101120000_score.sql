-- migrate:up
ALTER TABLE users ADD COLUMN score int;

-- migrate:down
ALTER TABLE users DROP COLUMN score;
