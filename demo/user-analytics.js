// Who buys on a telephone, and what have these customers been worth so far? One Monday's
// mobile buyers by country, with all they ever ordered and received.
db.events.aggregate([
  { $match: {
      type: "purchase",
      "payload.device.type": "mobile",
      created_at: { $gte: ISODate("2026-09-14"), $lt: ISODate("2026-09-15") }
  } },
  { $lookup: { from: "customers", localField: "customer_id", foreignField: "_id", as: "customer" } },
  { $unwind: "$customer" },
  { $lookup: { from: "orders", localField: "customer_id", foreignField: "customer_id", as: "orders" } },
  { $lookup: { from: "reviews", localField: "customer_id", foreignField: "customer_id", as: "reviews" } },
  { $unwind: "$orders" },
  { $match: { "orders.status": "delivered" } },
  { $group: {
      _id: "$customer.country",
      buyers: { $addToSet: "$customer_id" },
      orders: { $sum: 1 },
      revenue: { $sum: "$orders.total" }
  } },
  { $project: { buyers: { $size: "$buyers" }, orders: 1, revenue: 1 } },
  { $sort: { revenue: -1, _id: 1 } }
])
