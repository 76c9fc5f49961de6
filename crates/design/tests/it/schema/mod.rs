mod filled;
mod models;
mod mongodb;
mod names;
mod postgres;
