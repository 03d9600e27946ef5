use orders::{Fingerprint, ListPosition, OrderId, OrderListQuery, OrderPage, OrderSummary, Owner, Status, Timestamp};
use serde::{Deserialize, Serialize};

/// A page of an owner's orders, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderListView {
    /// At most `limit` orders.
    pub orders: Vec<OrderSummaryView>,
    /// The `next` of the request for the next page; missing on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl OrderListView {
    /// The page that answers `wanted`.
    #[must_use]
    pub fn new(wanted: &OrderListQuery, page: &OrderPage) -> Self {
        let next = page.next().map(|position| cursor(&wanted.owner, wanted.since, position));
        Self { orders: page.orders.iter().map(OrderSummaryView::from).collect(), next }
    }
}

/// An order without its items, note, reason and steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummaryView {
    /// A UUID in lower case.
    pub order_id: String,
    /// As [`crate::OrderView::status`].
    pub status: String,
    /// As [`crate::OrderView::lane`].
    pub lane: String,
    /// ISO 4217 code; missing if the order was rejected or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The sum over all items, in minor units of the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_minor: Option<u64>,
    /// When it was accepted: RFC 3339, UTC, milliseconds.
    pub placed_at: String,
    /// As [`crate::OrderView::confirmed_at`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// As [`crate::OrderView::cancelled_at`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<String>,
}

impl From<&OrderSummary> for OrderSummaryView {
    fn from(order: &OrderSummary) -> Self {
        let decided = |status| order.decided_at.filter(|_| order.status == status).map(|moment| moment.to_string());
        Self {
            order_id: order.id.to_string(),
            status: order.status.name().to_owned(),
            lane: order.lane.name().to_owned(),
            currency: order.total.map(|(currency, _)| currency.code().to_owned()),
            total_minor: order.total.map(|(_, minor_units)| minor_units),
            placed_at: order.placed_at.to_string(),
            confirmed_at: decided(Status::Confirmed),
            cancelled_at: decided(Status::Cancelled),
        }
    }
}

/// The position, and a digest of position, owner and `since`, which detects a damaged cursor and a cursor of another
/// list. The digest is not a secret and protects nothing: the owner of a list comes from the token.
fn cursor(owner: &Owner, since: Option<Timestamp>, position: ListPosition) -> String {
    let ListPosition { placed_at, id } = position;
    let (since, id) = (since.map_or(String::new(), |since| since.to_string()), id.to_string());
    let fields = [owner.as_str().as_bytes(), since.as_bytes(), &placed_at.unix_ms().to_be_bytes(), id.as_bytes()];
    let digest = Fingerprint::of_fields("cursor", &fields).to_string();
    format!("{}.{id}.{}", placed_at.unix_ms(), &digest[..16])
}

/// `None` unless this owner got the cursor in a list with this `since`.
#[must_use]
pub fn parse_cursor(text: &str, owner: &Owner, since: Option<Timestamp>) -> Option<ListPosition> {
    let (placed_at, rest) = text.split_once('.')?;
    let (id, _) = rest.split_once('.')?;
    let placed_at = Timestamp::from_unix_ms(placed_at.parse().ok()?).ok()?;
    let position = ListPosition { placed_at, id: OrderId::parse(id).ok()? };
    // DynamoDB refuses to start before the range.
    if since.is_some_and(|since| placed_at < since) {
        return None;
    }
    (cursor(owner, since, position) == text).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::{Order, PageLimit, fakes};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn view(order: &Order) -> Value {
        serde_json::to_value(OrderSummaryView::from(&OrderSummary::from(order))).expect("a view is JSON")
    }

    #[test]
    fn shows_an_order_of_each_outcome_without_its_content() {
        let (id, placed_at) = ("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b", "2026-01-01T00:00:00.000Z");
        let decided = "2026-01-01T00:00:02.000Z";

        assert_eq!(
            view(&fakes::confirmed_by_steps()),
            json!({"orderId": id, "status": "CONFIRMED", "lane": "bus", "currency": "EUR", "totalMinor": 3998,
                "placedAt": placed_at, "confirmedAt": decided})
        );
        assert_eq!(
            view(&fakes::cancelled("no")),
            json!({"orderId": id, "status": "CANCELLED", "lane": "bus", "currency": "EUR", "totalMinor": 3998,
                "placedAt": placed_at, "cancelledAt": decided})
        );
        assert_eq!(
            view(&fakes::failed()),
            json!({"orderId": id, "status": "FAILED", "lane": "async", "placedAt": placed_at})
        );
    }

    fn position() -> ListPosition {
        ListPosition { placed_at: fakes::moment(1), id: fakes::order_id() }
    }

    #[test]
    fn a_page_before_others_has_the_cursor_of_its_last_order() {
        let wanted =
            OrderListQuery { owner: fakes::owner("alice"), since: None, after: None, limit: PageLimit::DEFAULT };
        let orders = vec![OrderSummary::from(&fakes::order())];

        let last = OrderListView::new(&wanted, &OrderPage { orders: orders.clone(), has_more: false });
        let other = OrderListView::new(&wanted, &OrderPage { orders, has_more: true });

        assert_eq!(last.next, None);
        let next = parse_cursor(&other.next.expect("a page follows"), &wanted.owner, None);
        assert_eq!(next, Some(ListPosition { placed_at: fakes::moment(0), ..position() }));
    }

    #[test]
    fn a_cursor_is_valid_only_for_its_owner_and_its_since() {
        let (alice, since) = (fakes::owner("alice"), Some(fakes::moment(0)));

        let text = cursor(&alice, since, position());

        assert_eq!(parse_cursor(&text, &alice, since), Some(position()));
        assert_eq!(parse_cursor(&text, &fakes::owner("bob"), since), None);
        assert_eq!(parse_cursor(&text, &alice, None), None);
        assert_eq!(parse_cursor(&text, &alice, Some(fakes::moment(1))), None);
    }

    #[test]
    fn refuses_a_cursor_before_the_list_begins() {
        let (alice, later) = (fakes::owner("alice"), Timestamp::from_unix_ms(position().placed_at.unix_ms() + 1).ok());

        assert_eq!(parse_cursor(&cursor(&alice, later, position()), &alice, later), None);
    }

    #[test]
    fn refuses_any_change_to_a_cursor() {
        let (alice, text) = (fakes::owner("alice"), cursor(&fakes::owner("alice"), None, position()));

        for at in 0..text.len() {
            let mut tampered = text.clone().into_bytes();
            tampered[at] ^= 1;
            let tampered = String::from_utf8(tampered).expect("it is ASCII");
            assert_eq!(parse_cursor(&tampered, &alice, None), None, "{tampered}");
        }
        for odd in ["", ".", "..", &format!("+{text}"), &format!("{text}."), &text.to_uppercase()] {
            assert_eq!(parse_cursor(odd, &alice, None), None, "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            prop_assert_eq!(parse_cursor(&text, &fakes::owner("alice"), None), None);
        }
    }
}
