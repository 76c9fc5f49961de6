// shop: An online shop.
// Note: nothing but the writers keeps references whole: deleting what is referred to leaves them
// behind, unless it is looked for in the same transaction
// Note: orders.customer_name repeats customers.name; rename_customer also sets it in all orders of
// the one it changes (in one transaction with rename_customer); place_order also reads name of its
// customer and writes it along (in the transaction checkout)
// Note: order_lines.product_title repeats products.title; no write of the model changes that
// Note: reviews.author_name repeats customers.name; rename_customer also sets it in all reviews of
// the one it changes (in one transaction with rename_customer); write_review also reads name of its
// author and writes it along (in one transaction with write_review)
// Note: a document of customers: 114 bytes on average, 190 bytes at p99, 496 bytes at most (the
// limit is 16 MB)
// Note: a document of products: 3186 bytes on average, 27 kB at p99, 4.6 MB at most (the limit is 16
// MB)
// Note: a document of orders: 640 bytes on average, 2084 bytes at p99, 26 kB at most (the limit is
// 16 MB)
// Note: pattern extended reference: orders.customer (name of customers are read with orders, without
// a second read)
// Note: pattern embedding: orders.lines (order_lines are read and written with their orders: 50 at
// most of them)
// Note: pattern extended reference: order_lines.product (title of products are read with
// order_lines, without a second read)
// Note: pattern embedding: products.reviews (reviews are read and written with their products: 2000
// at most of them)
// Note: pattern outlier: products.reviews (99 of 100 hold 80 or fewer, a few up to 2000: from 250 on
// put the rest into further documents, marked in the first (has_more: true))
// Note: pattern extended reference: reviews.author (name of customers are read with reviews, without
// a second read)
// Note: pattern schema versioning: every collection (the validators take a field schema_version, so
// that a later form can stand beside this one)
// Note: to shard: sh.shardCollection("DATABASE.customers", { _id: "hashed" }) (hashed, since it
// grows with time and would fill one shard; 20000 values, the commonest in 0.01 % of the documents,
// not monotonic, 0 % of the reads ask one shard)
// Note: to shard: sh.shardCollection("DATABASE.products", { _id: "hashed" }) (hashed, since it grows
// with time and would fill one shard; 5000 values, the commonest in 0.02 % of the documents, not
// monotonic, 99 % of the reads ask one shard)
// Note: to shard: sh.shardCollection("DATABASE.orders", { _id: "hashed" }) (hashed, since it grows
// with time and would fill one shard; 100000 values, the commonest in 0.00 % of the documents, not
// monotonic, 67 % of the reads ask one shard)

// ==== Before there is data

// collection customers
db.createCollection("customers", {
  validator: {
    $jsonSchema: {
      bsonType: "object",
      required: ["_id", "email", "name", "country", "created_at"],
      properties: {
        _id: { bsonType: ["int", "long"] },
        email: { bsonType: "string", maxLength: 120 },
        name: { bsonType: "string" },
        country: { enum: ["DE", "FR", "IT", "ES", "PL"] },
        created_at: { bsonType: "date" },
        schema_version: { bsonType: ["int", "long"] }
      },
      additionalProperties: false
    }
  }
});

// collection products
db.createCollection("products", {
  validator: {
    $jsonSchema: {
      bsonType: "object",
      required: ["_id", "sku", "title", "category", "price", "stock"],
      properties: {
        _id: { bsonType: ["int", "long"] },
        sku: { bsonType: "string", maxLength: 40 },
        title: { bsonType: "string" },
        description: { bsonType: "string" },
        category: { enum: ["books", "music", "games", "garden", "kitchen", "sports"] },
        price: { bsonType: "decimal", minimum: Decimal128("1"), maximum: Decimal128("500") },
        stock: { bsonType: ["int", "long"], minimum: 0, maximum: 1000 },
        reviews: {
          bsonType: "array",
          items: {
            bsonType: "object",
            required: ["id", "customer_id", "stars", "created_at"],
            properties: {
              id: { bsonType: ["int", "long"] },
              customer_id: { bsonType: ["int", "long"] },
              stars: { bsonType: ["int", "long"], minimum: 1, maximum: 5 },
              text: { bsonType: "string" },
              created_at: { bsonType: "date" },
              author_name: { bsonType: "string" }
            },
            additionalProperties: false
          },
          maxItems: 2000
        },
        schema_version: { bsonType: ["int", "long"] }
      },
      additionalProperties: false
    },
    $expr: {
      $eq: [
        { $size: { $ifNull: ["$reviews", []] } },
        { $size: { $setUnion: [{ $ifNull: ["$reviews.id", []] }] } }
      ]
    }
  }
});

// collection orders
db.createCollection("orders", {
  validator: {
    $jsonSchema: {
      bsonType: "object",
      required: ["_id", "customer_id", "status", "total", "created_at", "lines"],
      properties: {
        _id: { bsonType: ["int", "long"] },
        customer_id: { bsonType: ["int", "long"] },
        status: { enum: ["delivered", "paid", "sent", "open", "cancelled"] },
        total: { bsonType: "decimal", minimum: Decimal128("1"), maximum: Decimal128("900") },
        note: { bsonType: "string" },
        created_at: { bsonType: "date" },
        customer_name: { bsonType: "string" },
        lines: {
          bsonType: "array",
          items: {
            bsonType: "object",
            required: ["line", "product_id", "quantity", "unit_price"],
            properties: {
              line: { bsonType: ["int", "long"] },
              product_id: { bsonType: ["int", "long"] },
              quantity: { bsonType: ["int", "long"], minimum: 1, maximum: 9 },
              unit_price: {
                bsonType: "decimal",
                minimum: Decimal128("1"),
                maximum: Decimal128("500")
              },
              product_title: { bsonType: "string" }
            },
            additionalProperties: false
          },
          maxItems: 50,
          minItems: 1
        },
        schema_version: { bsonType: ["int", "long"] }
      },
      additionalProperties: false
    },
    $expr: {
      $and: [
        { $gte: ["$total", 0] },
        {
          $eq: [
            { $size: { $ifNull: ["$lines", []] } },
            { $size: { $setUnion: [{ $ifNull: ["$lines.line", []] }] } }
          ]
        }
      ]
    }
  }
});

// ==== When the data is there

// index customers email_1
db.customers.createIndex({ email: 1 }, { unique: true, name: "email_1" });

// index products sku_1
db.products.createIndex({ sku: 1 }, { unique: true, name: "sku_1" });

// index products category_1_price_1: count_reviews: equalities, order, range
db.products.createIndex({ category: 1, price: 1 }, { name: "category_1_price_1" });

// index products reviews.customer_id_1: reference to customers: the reviews of one are found by it
db.products.createIndex({ "reviews.customer_id": 1 }, { name: "reviews.customer_id_1" });

// index orders customer_id_1_created_at_-1: orders_of_customer: equalities, order, range; reference
// to customers: the orders of one are found by it
db.orders.createIndex({ customer_id: 1, created_at: -1 }, {
  name: "customer_id_1_created_at_-1"
});

// index orders lines.product_id_1: who_bought: finds an element; reference to products: the
// order_lines of one are found by it
db.orders.createIndex({ "lines.product_id": 1 }, { name: "lines.product_id_1" });
