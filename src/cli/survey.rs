//! What is told of a list before anything is asked or brought in: which columns were taken, which
//! others hold numbers; and that nothing of it can be read.

use super::Failure;
use super::output::note;
use crate::domain::Notation;
use crate::table::{Form, Layout, Survey};

/// Looks at the first rows of a list that begins with `start`; `end` says that it ends there.
pub(super) fn look(
    layout: &Layout,
    start: &[u8],
    end: bool,
    notation: Notation,
) -> Result<(), Failure> {
    let survey = Survey::of(layout, start, end, notation);
    if let Some(one) = survey.unreadable.as_ref().filter(|_| survey.is_hopeless()) {
        return Err(Failure::usage(format!(
            "not one of the first {} rows has a number that can be read. Row {}, which looks like \
             \"{}\": {}\n  kept:       nothing is on record\n  remedy:     say how the numbers are \
             written with --column, --region, --international and --delimiter",
            survey.rows, one.row, one.shape, one.why
        )));
    }
    if layout.columns > 1 || layout.members.len() > 1 {
        let names = match layout.head.form {
            Form::Ndjson => &layout.members,
            Form::Csv | Form::Lines => &layout.names,
        };
        note(&format!(
            "the numbers are those of column {}",
            names.join(" and ")
        ));
    }
    if !survey.others.is_empty() {
        let heading = layout.head.first.as_slice();
        let name = |place: &usize| match heading.get(*place).filter(|_| layout.heading) {
            Some(name) => format!("\"{}\"", name.trim()),
            None => (place + 1).to_string(),
        };
        let others: Vec<_> = survey.others.iter().map(name).collect();
        note(&format!(
            "NOT read, though most of its cells look like telephone numbers: column {}; name every \
             column that counts with --column",
            others.join(" and ")
        ));
    }
    Ok(())
}
