//! Small pictures of figures, drawn by the server as SVG: bars over time, stacked by kind, and bars
//! by rank.
//!
//! They carry no style and no script: colours come from the classes `bar-0` to `bar-3` of the style
//! sheet, which knows dark screens and paper. A picture has a name that screen readers read out;
//! whoever draws one puts a table with the same figures beside it.

use std::fmt::Write;

/// How wide a picture is, in its own units; on the page it is as wide as there is room.
const WIDTH: u64 = 600;

/// How high bars over time are at most.
const HEIGHT: u64 = 120;

/// How wide a bar is at most, however few there are.
const WIDEST: u64 = 40;

/// Room for a label under the bars, or for one line of a ranking.
const LINE: u64 = 22;

/// How many kinds have a colour of their own.
const KINDS: usize = 4;

/// One place on the axis of time: its label, and a figure for each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// What stands under it, such as a day. May be empty.
    pub label: String,
    /// The figures, from the bottom up, in the same order everywhere.
    pub figures: Vec<u64>,
}

/// One line of a ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    /// What it is.
    pub label: String,
    /// How much.
    pub figure: u64,
}

/// Bars over time, oldest first, each stacked by kind. `name` says what the picture shows.
#[must_use]
pub fn over_time(name: &str, stacks: &[Stack]) -> String {
    let sum = |stack: &Stack| stack.figures.iter().sum::<u64>();
    let most = stacks.iter().map(sum).max().unwrap_or(0).max(1);
    let mut svg = begin(name, HEIGHT + LINE);
    let count = stacks.len().max(1) as u64;
    for (place, stack) in stacks.iter().enumerate() {
        let left = place as u64 * WIDTH / count;
        let right = (place as u64 + 1) * WIDTH / count;
        let gap = if right - left > 4 { 2 } else { 0 };
        let mut below = 0;
        for (kind, figure) in stack.figures.iter().enumerate() {
            let (from, to) = (
                scale(below, most, HEIGHT),
                scale(below + figure, most, HEIGHT),
            );
            below += figure;
            if to > from {
                bar(
                    &mut svg,
                    kind,
                    (left, HEIGHT - to),
                    ((right - left - gap).clamp(1, WIDEST), to - from),
                );
            }
        }
    }
    // The first, the last and, where there is room, one in the middle.
    let shown = match stacks.len() {
        0 => vec![],
        1 => vec![0],
        2 | 3 => vec![0, stacks.len() - 1],
        many => vec![0, many / 2, many - 1],
    };
    for place in &shown {
        let (at, anchor) = match place {
            0 => (0, "start"),
            place if *place + 1 == stacks.len() => (WIDTH, "end"),
            place => ((2 * *place as u64 + 1) * WIDTH / (2 * count), "middle"),
        };
        text(
            &mut svg,
            (at, HEIGHT + LINE - 6),
            anchor,
            &stacks[*place].label,
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Bars by rank, in the order in which they are given.
#[must_use]
pub fn ranked(name: &str, ranks: &[Rank]) -> String {
    let most = ranks
        .iter()
        .map(|rank| rank.figure)
        .max()
        .unwrap_or(0)
        .max(1);
    let mut svg = begin(name, (2 * LINE * ranks.len() as u64).max(LINE));
    for (place, rank) in ranks.iter().enumerate() {
        let top = 2 * LINE * place as u64;
        let label = format!("{} · {}", rank.label, rank.figure);
        text(&mut svg, (0, top + LINE - 6), "start", &label);
        let width = scale(rank.figure, most, WIDTH);
        if width > 0 {
            bar(&mut svg, 0, (0, top + LINE), (width, LINE - 6));
        }
    }
    svg.push_str("</svg>");
    svg
}

fn begin(name: &str, height: u64) -> String {
    format!(
        "<svg class=\"plot\" role=\"img\" viewBox=\"0 0 {WIDTH} {height}\" \
         aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">",
        escaped(name)
    )
}

/// `figure` on a scale that ends at `most`; whatever is more than nothing can be seen.
fn scale(figure: u64, most: u64, length: u64) -> u64 {
    let scaled = u128::from(figure) * u128::from(length) / u128::from(most);
    let scaled = u64::try_from(scaled).unwrap_or(length);
    scaled.max(u64::from(figure > 0))
}

fn bar(svg: &mut String, kind: usize, (x, y): (u64, u64), (width, height): (u64, u64)) {
    let kind = kind.min(KINDS - 1);
    // Writing into a text cannot fail.
    let _ = write!(
        svg,
        "<rect class=\"bar-{kind}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
    );
}

fn text(svg: &mut String, (x, y): (u64, u64), anchor: &str, text: &str) {
    let _ = write!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>",
        escaped(text)
    );
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(label: &str, figures: &[u64]) -> Stack {
        Stack {
            label: label.to_owned(),
            figures: figures.to_vec(),
        }
    }

    /// The heights of all bars.
    fn heights(svg: &str) -> Vec<u64> {
        svg.split("height=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next()?.parse().ok())
            .collect()
    }

    #[test]
    fn bars_are_as_high_as_their_figures_and_never_higher_than_the_picture() {
        let svg = over_time(
            "n",
            &[stack("a", &[10, 30]), stack("b", &[20]), stack("c", &[])],
        );
        assert_eq!(heights(&svg), [30, 90, 60]);
        let svg = over_time("n", &[stack("", &[u64::MAX / 2, 1])]);
        assert!(heights(&svg).iter().all(|height| *height <= HEIGHT));
    }

    #[test]
    fn nothing_and_zero_are_drawn_as_nothing() {
        for svg in [
            over_time("n", &[]),
            over_time("n", &[stack("a", &[0, 0])]),
            ranked("n", &[]),
            ranked(
                "n",
                &[Rank {
                    label: "a".into(),
                    figure: 0,
                }],
            ),
        ] {
            assert!(!svg.contains("<rect") && svg.ends_with("</svg>"), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("style="));
        }
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let rank = Rank {
            label: "<b>\"A&B'".into(),
            figure: 1,
        };
        let svg = ranked("x\"><script>", &[rank]);
        assert!(svg.contains("&lt;b&gt;&quot;A&amp;B&#39; · 1") && !svg.contains("<script"));
        assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    }

    #[test]
    fn a_little_beside_much_can_still_be_seen() {
        let svg = over_time("n", &[stack("", &[1_000_000, 1])]);
        assert_eq!(heights(&svg).len(), 2);
    }
}
