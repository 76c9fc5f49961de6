-- migrate:up
ALTER TABEL users ADD COLUMN a int;
