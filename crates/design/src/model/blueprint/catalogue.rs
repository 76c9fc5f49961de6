//! The blueprints, and the words that people use for them and their parts.

use std::sync::OnceLock;

use marula_core::model::Model;

use crate::model::read;

/// A model that the program carries.
pub struct Blueprint {
    /// What it is called: `e-commerce`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
    /// Words for the whole, in the singular: a sentence with one of them means this blueprint.
    pub words: &'static [&'static str],
    /// What there is in each of them: whoever names the whole means these, too.
    pub heart: &'static [&'static str],
    /// Words for the entities besides their names, in the singular.
    pub nouns: &'static [(&'static str, &'static [&'static str])],
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../blueprints/", $name, ".yaml"))
    };
}

/// All of them; what several know is taken from the first.
pub const ALL: [Blueprint; 10] = [
    Blueprint {
        name: "e-commerce",
        text: file!("e-commerce"),
        words: &[
            "e-commerce",
            "ecommerce",
            "commerce",
            "shop",
            "webshop",
            "online shop",
            "store",
            "online store",
            "marketplace",
            "retail",
            "retailer",
            "web shop",
        ],
        heart: &["products", "orders"],
        nouns: &[
            ("users", &["user", "customer", "buyer", "shopper", "account", "client", "person"]),
            ("addresses", &["address", "shipping address", "billing address"]),
            ("categories", &["category", "product category", "department"]),
            ("products", &["product", "article for sale", "good", "merchandise", "sku"]),
            ("orders", &["order", "purchase", "sale"]),
            ("order_lines", &["order line", "order item", "line item", "order position"]),
            ("payments", &["payment", "charge", "refund"]),
            ("reviews", &["review", "product review", "rating", "product rating"]),
            ("cart_items", &["cart", "cart item", "basket", "shopping cart", "shopping basket"]),
        ],
    },
    Blueprint {
        name: "content-management",
        text: file!("content-management"),
        words: &[
            "content management",
            "cms",
            "blog",
            "blogging",
            "publishing",
            "magazine",
            "newspaper",
            "news site",
            "wiki",
            "publisher",
        ],
        heart: &["articles"],
        nouns: &[
            ("users", &["author", "editor", "writer", "reader"]),
            ("articles", &["article", "page", "post", "blog post", "story", "entry", "news"]),
            ("revisions", &["revision", "version", "article version"]),
            ("topics", &["topic", "tag", "subject", "section"]),
            ("article_topics", &["article topic", "article tag"]),
            ("comments", &["comment", "remark"]),
            ("media", &["media", "image", "picture", "photo", "file", "asset", "upload", "video"]),
        ],
    },
    Blueprint {
        name: "saas",
        text: file!("saas"),
        words: &[
            "saas",
            "multi-tenant",
            "multitenant",
            "multi tenant",
            "multi-tenant saas",
            "project management",
            "task management",
            "software as a service",
            "b2b",
        ],
        heart: &["organizations"],
        nouns: &[
            ("organizations", &["organization", "organisation", "tenant", "company", "workspace"]),
            ("members", &["member", "team member", "employee"]),
            ("subscriptions", &["subscription", "plan"]),
            ("projects", &["project"]),
            ("tasks", &["task", "todo", "to-do", "ticket", "issue"]),
            ("task_comments", &["task comment"]),
            ("audit_entries", &["audit entry", "audit log", "audit trail", "activity"]),
        ],
    },
    Blueprint {
        name: "ledger",
        text: file!("ledger"),
        words: &[
            "ledger",
            "bank",
            "banking",
            "accounting",
            "bookkeeping",
            "wallet",
            "fintech",
            "general ledger",
            "finance",
            "financial",
            "double entry",
            "double-entry",
            "neobank",
        ],
        heart: &["journal_entries", "postings"],
        nouns: &[
            ("customers", &["customer", "account holder", "client"]),
            ("accounts", &["account", "bank account"]),
            ("journal_entries", &["journal entry", "journal", "booking entry", "transaction"]),
            ("postings", &["posting"]),
            ("transfers", &["transfer", "money transfer", "payment order"]),
        ],
    },
    Blueprint {
        name: "inventory",
        text: file!("inventory"),
        words: &[
            "erp",
            "inventory",
            "warehouse management",
            "stock management",
            "supply chain",
            "procurement",
            "logistic",
            "wms",
            "purchasing",
            "inventory management",
        ],
        heart: &["items", "stock_levels"],
        nouns: &[
            ("suppliers", &["supplier", "vendor"]),
            ("items", &["item", "part", "material", "component"]),
            ("warehouses", &["warehouse", "depot", "storage location"]),
            ("stock_levels", &["stock level", "stock", "stock on hand"]),
            ("stock_moves", &["stock move", "stock movement", "goods movement"]),
            ("purchase_orders", &["purchase order"]),
            ("purchase_lines", &["purchase line", "purchase order line"]),
            ("supplier_items", &["supplier item", "price list", "offer"]),
        ],
    },
    Blueprint {
        name: "iot",
        text: file!("iot"),
        words: &[
            "iot",
            "internet of thing",
            "telemetry",
            "smart home",
            "industrial monitoring",
            "sensor network",
            "fleet monitoring",
            "iot telemetry",
            "smart meter",
        ],
        heart: &["readings"],
        nouns: &[
            ("sites", &["site", "plant", "building", "factory"]),
            ("devices", &["device", "machine", "gateway", "meter", "thing"]),
            ("sensors", &["sensor", "probe"]),
            ("readings", &["reading", "measurement", "sample", "sensor reading", "data point"]),
            ("alarms", &["alarm", "alert", "incident"]),
        ],
    },
    Blueprint {
        name: "social",
        text: file!("social"),
        words: &[
            "social",
            "social network",
            "social media",
            "social feed",
            "microblog",
            "community",
            "feed",
            "social networking",
        ],
        heart: &["posts"],
        nouns: &[
            ("users", &["profile", "friend"]),
            ("follows", &["follow", "follower", "friendship", "following"]),
            ("posts", &["post", "tweet", "status update", "status"]),
            ("replies", &["reply", "answer"]),
            ("likes", &["like", "favorite", "favourite", "upvote"]),
            ("notifications", &["notification"]),
        ],
    },
    Blueprint {
        name: "chat",
        text: file!("chat"),
        words: &[
            "chat",
            "messaging",
            "messenger",
            "instant messaging",
            "team chat",
            "chat room app",
        ],
        heart: &["messages"],
        nouns: &[
            ("conversations", &["conversation", "channel", "room", "chat room", "thread", "group"]),
            ("participants", &["participant"]),
            ("messages", &["message", "chat message", "direct message"]),
            ("attachments", &["attachment"]),
            ("reactions", &["reaction", "emoji"]),
        ],
    },
    Blueprint {
        name: "analytics",
        text: file!("analytics"),
        words: &[
            "analytic",
            "analytics",
            "web analytics",
            "tracking",
            "product analytics",
            "clickstream",
            "event tracking",
        ],
        heart: &["events"],
        nouns: &[
            ("websites", &["website", "domain", "property"]),
            ("visitors", &["visitor", "anonymous user"]),
            ("sessions", &["session", "visit"]),
            ("events", &["event", "page view", "pageview", "click", "analytics event"]),
            ("daily_totals", &["daily total", "daily aggregate", "statistic", "metric"]),
        ],
    },
    Blueprint {
        name: "booking",
        text: file!("booking"),
        words: &[
            "booking",
            "reservation system",
            "hotel",
            "appointment",
            "scheduling",
            "ticketing",
            "restaurant",
            "booking system",
            "clinic",
            "car rental",
            "rental",
        ],
        heart: &["bookings"],
        nouns: &[
            ("users", &["guest", "patient"]),
            (
                "venues",
                &["venue", "hotel", "location", "house", "practice", "clinic", "restaurant"],
            ),
            ("resources", &["resource", "room", "seat", "table", "vehicle", "bookable"]),
            ("bookings", &["booking", "reservation", "appointment", "rental"]),
            ("booking_payments", &["booking payment"]),
            ("closures", &["closure", "holiday", "blocked time"]),
            ("ratings", &["rating"]),
        ],
    },
];

/// The blueprints' models, in the order of [`ALL`].
pub fn models() -> &'static [Model] {
    static MODELS: OnceLock<Vec<Model>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let read = |blueprint: &Blueprint| read(blueprint.text, "blueprint.yaml");
        ALL.iter().map(|one| read(one).map(|read| read.model).unwrap_or_default()).collect()
    })
}
