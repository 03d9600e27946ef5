//! The counts of scenarios.

use std::{fmt::Display, io::Write, sync::Mutex, time::Duration};

/// One scenario's counts, by name.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(&'static str, String)>);

impl Figures {
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.0.push((name, value.to_string()));
        self
    }
}

#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<Vec<(&'static str, Duration, Figures)>>);

impl Table {
    pub(crate) fn add(&self, scenario: &'static str, took: Duration, figures: Figures) {
        self.0.lock().unwrap().push((scenario, took, figures));
    }

    /// Unless it is empty.
    pub(crate) fn print(&self) {
        let rows = self.0.lock().unwrap();
        let width = rows.iter().map(|(scenario, ..)| scenario.len()).max().unwrap_or_default();
        let mut out = std::io::stdout().lock();
        for (scenario, took, Figures(figures)) in rows.iter() {
            let counts: Vec<_> = figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let _ = writeln!(out, "{scenario:<width$}  {:>5.1} s  {}", took.as_secs_f64(), counts.join(" · "));
        }
        if !rows.is_empty() {
            let _ = writeln!(out, "\nCounted on a local emulator. The times do not apply to AWS.");
        }
    }
}

pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "    {text}");
}
