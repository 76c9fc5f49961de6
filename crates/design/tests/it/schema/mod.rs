mod models;
mod mongodb;
mod postgres;
