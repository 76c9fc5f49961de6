CREATE TABLE users (id int PRIMARY KEY, email text, age int NOT NULL);
CREATE INDEX users_email ON users (email);
CREATE VIEW adults AS SELECT id, email FROM users WHERE age >= 18;
