CREATE TABLE users (id int PRIMARY KEY, mail text, age int);
CREATE VIEW adults AS SELECT id, mail FROM users WHERE age >= 18;
