//! Who asked about a number.

mod de;
mod en;
mod fr;
mod nl;

pub use de::DE;
pub use en::EN;
pub use fr::FR;
pub use nl::NL;

/// The texts of the page that shows who asked about a number.
#[derive(Debug)]
pub struct AskedTexts {
    /// Heading.
    pub asked_title: &'static str,
    /// What companies do here.
    pub asked_lede: &'static str,
    /// What the page shows of an opt-out for all companies.
    pub asked_all: &'static str,
    /// What it shows of one for chosen companies.
    pub asked_chosen: &'static str,
    /// What it does not show of one for calls alone.
    pub asked_only_calls: &'static str,
    /// What it does not show of one for texts alone.
    pub asked_only_texts: &'static str,
    /// From when on. Placeholder `{since}`.
    pub asked_since: &'static str,
    /// Nobody has asked.
    pub asked_none: &'static str,
    /// Somebody looked for the number in the log.
    pub asked_opening: &'static str,
    /// Name of the picture.
    pub asked_plot: &'static str,
    /// There is more than the page shows. Placeholder `{n}`.
    pub asked_more: &'static str,
    /// Link to the file.
    pub asked_download: &'static str,
    /// Heading of a column.
    pub column_time: &'static str,
    /// Heading of a column.
    pub column_number: &'static str,
    /// Heading of a column.
    pub column_agency: &'static str,
    /// Heading of a column.
    pub column_company: &'static str,
    /// Heading of a column.
    pub column_channel: &'static str,
    /// Heading of a column.
    pub column_answer: &'static str,
    /// Heading of a column.
    pub column_entry: &'static str,
}
