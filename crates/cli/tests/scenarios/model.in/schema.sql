CREATE TABLE authors (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE books (
  isbn varchar(13) PRIMARY KEY,
  author_id bigint NOT NULL REFERENCES authors ON DELETE RESTRICT,
  price numeric(8,2) CHECK (price >= 0)
);
