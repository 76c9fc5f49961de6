-- migrate:up
CREATE TABLE notes (id bigint PRIMARY KEY, user_id bigint);
CREATE INDEX notes_user ON notes (user_id);
ALTER TABLE users ADD CONSTRAINT grown CHECK (age >= 0);
-- marula:ignore drop-column nobody reads it since May
ALTER TABLE users DROP COLUMN nickname;
CREATE INDEX users_age ON users (age);

-- migrate:down
DROP INDEX users_age;
