use shared_kernel::{Currency, Fingerprint, Item, OrderId, Owner, Step, Timestamp, Vote};

/// Something that happened to one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The order's id.
    pub order_id: OrderId,
    /// The order's owner.
    pub owner: Owner,
    /// Distinguishes a repeat of the order from another order under its id.
    pub fingerprint: Fingerprint,
    /// When it happened. A repeat of the event has the same time if the time is stored, else a later one.
    pub occurred_at: Timestamp,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The API accepted the order. Published by publish-order.
    Submitted {
        /// What was ordered.
        order: OrderedItems,
        /// The customer's note. Only the order service keeps it.
        note: Option<String>,
    },
    /// The order is recorded, and every step may hold. Published by settle-order.
    Placed(OrderedItems),
    /// A step voted. Published by the steps.
    Voted(Step, Vote),
    /// Every step holds: the order is final. Published by settle-order.
    Confirmed,
    /// The order is cancelled, and every step must undo. Published by settle-order.
    Cancelled {
        /// Why, for the owner to read.
        reason: String,
    },
}

/// The part of an order that other services need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderedItems {
    /// The currency of every price.
    pub currency: Currency,
    /// The lines, in the customer's order; 1 to 100. Several may have the same SKU.
    pub items: Vec<Item>,
}

impl OrderedItems {
    /// The sum over all lines, in minor units. At most 100 × 10 000 × 1 000 000 000, which fits.
    #[must_use]
    pub fn total_minor_units(&self) -> u64 {
        self.items.iter().map(Item::total_minor_units).sum()
    }
}

impl EventKind {
    /// The event's type: `order.submitted`, `order.placed`, `order.confirmed`, `order.cancelled`, or
    /// `{step}.held`, `{step}.refused`, `{step}.failed`. Subscriptions filter by it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Submitted { .. } => "order.submitted".to_owned(),
            Self::Placed(_) => "order.placed".to_owned(),
            Self::Confirmed => "order.confirmed".to_owned(),
            Self::Cancelled { .. } => "order.cancelled".to_owned(),
            Self::Voted(step, vote) => format!("{step}.{}", vote.name().to_lowercase()),
        }
    }
}
