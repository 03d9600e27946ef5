//! Figures as text.

/// Groups of three digits with no-break spaces: `12 345`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 order`, `2 orders`.
pub(crate) fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{}\u{a0}{}", count(value), if value == 1 { one } else { many })
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Milliseconds up to ten seconds, else seconds.
pub(crate) fn time(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.1}\u{a0}ms"),
        10.0..10_000.0 => format!("{ms:.0}\u{a0}ms"),
        _ => format!("{:.1}\u{a0}s", ms / 1000.0),
    }
}

/// Dollars and cents; more digits below one cent.
pub(crate) fn usd(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    match value.abs() {
        0.0 => "$0".to_owned(),
        amount @ ..0.01 => format!("{sign}${amount:.4}"),
        amount @ ..1000.0 => format!("{sign}${amount:.2}"),
        amount => format!("{sign}${amount:.0}"),
    }
}

/// `54.5 %`; `0 %` and `100 %` only if exact.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "0\u{a0}%".to_owned();
    }
    if part >= whole {
        return "100\u{a0}%".to_owned();
    }
    let percent = float(part) / float(whole) * 100.0;
    format!("{:.1}\u{a0}%", percent.clamp(0.1, 99.9))
}

/// `12×`, `3.4×`.
pub(crate) fn times(ratio: f64) -> String {
    if ratio < 9.95 { format!("{ratio:.1}×") } else { format!("{ratio:.0}×") }
}

/// For ratios and positions on charts.
#[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
pub(crate) fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1\u{a0}000", "1\u{a0}234\u{a0}567"]);
        assert_eq!(counted(1, "order", "orders"), "1\u{a0}order");
    }

    #[test]
    fn joins_the_last_item_with_and() {
        let items = ["a", "b", "c"].map(str::to_owned);

        assert_eq!([0, 1, 2, 3].map(|items_shown| and(&items[..items_shown])), ["", "a", "a and b", "a, b and c"]);
    }

    #[test]
    fn writes_times_and_money_with_significant_digits() {
        assert_eq!(
            [0.25, 9.99, 912.4, 24_500.0].map(time).join("|"),
            "0.2\u{a0}ms|10.0\u{a0}ms|912\u{a0}ms|24.5\u{a0}s"
        );
        assert_eq!([0.0, 0.0042, 4.25, -4.5, 12_345.0].map(usd), ["$0", "$0.0042", "$4.25", "−$4.50", "$12345"]);
        assert_eq!([0.5, 3.44, 12.3].map(times), ["0.5×", "3.4×", "12×"]);
    }

    #[test]
    fn never_rounds_a_loss_away() {
        assert_eq!(percent(99_999, 100_000), "99.9\u{a0}%");
        assert_eq!(percent(1, 100_000), "0.1\u{a0}%");
        assert_eq!((percent(5, 5), percent(0, 0)), ("100\u{a0}%".to_owned(), "0\u{a0}%".to_owned()));
    }
}
