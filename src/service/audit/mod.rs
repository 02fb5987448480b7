//! Reading the audit: every entry, or those that a regulator asks for, at constant memory.

mod reader;

use std::collections::HashSet;

pub use reader::Reader;

use super::{Service, ServiceError};
use crate::domain::{
    AgencyId, Context, Entry, EntryId, Moment, Op, PhoneNumber, Principal, Pseudonym, SellerRef,
};
use crate::store::Change;

/// Which entries. What is left out does not limit.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Not before this moment.
    pub from: Option<Moment>,
    /// Before this moment.
    pub to: Option<Moment>,
    /// Of this agency.
    pub agency: Option<AgencyId>,
    /// About this seller, or about all of them.
    pub seller: Option<SellerRef>,
    /// Of this kind.
    pub op: Option<Op>,
    /// With this answer: `suppress`, `not_listed` or `invalid`.
    pub answer: Option<String>,
    /// Behind this entry: an export that broke off goes on behind the last one that arrived.
    pub after: Option<EntryId>,
    /// What happened to this number. That somebody looked for it is left out, unless `op` asks
    /// for it.
    pub phone: Option<PhoneNumber>,
}

impl Service {
    pub(super) async fn record_opening(
        &self,
        who: &Principal,
        phone: &PhoneNumber,
    ) -> Result<(), ServiceError> {
        let at = Moment::now();
        let (_, pn) = self.pseudonyms(phone, at)?;
        let context = Context {
            op: Op::Opening,
            agency: None,
            seller: None,
            key: Some(who.key.clone()),
            campaign: None,
            channels: None,
            detail: None,
        };
        let opening = Change::note(at, context, Some(pn));
        self.store.change(vec![opening]).await.map(drop)?;
        Ok(())
    }
}

impl Filter {
    fn admits(&self, entry: &Entry, pseudonyms: Option<&HashSet<Pseudonym>>) -> bool {
        let context = &entry.context;
        self.from.is_none_or(|from| entry.time >= from)
            && self.to.is_none_or(|to| entry.time < to)
            && match self.op {
                Some(op) => context.op == op,
                None => pseudonyms.is_none() || context.op != Op::Opening,
            }
            && (self.agency.is_none() || context.agency == self.agency)
            && (self.seller.is_none() || context.seller == self.seller)
            && self
                .answer
                .as_ref()
                .is_none_or(|wanted| entry.answer.is_some_and(|is| is.as_str() == wanted))
            && pseudonyms.is_none_or(|wanted| entry.pn.is_some_and(|pn| wanted.contains(&pn)))
    }
}

/// Writes a CSV that a spreadsheet opens without running anything.
///
/// A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return could be taken for a
/// formula (OWASP, "CSV injection"); an apostrophe is put in front of it.
pub fn write_csv_row(entry: &Entry, writer: &mut csv::Writer<Vec<u8>>) -> csv::Result<()> {
    use crate::domain::Value;
    for name in Entry::FIELDS {
        match entry.field(name) {
            None => writer.write_field("")?,
            Some(Value::Integer(number)) => writer.write_field(number.to_string())?,
            Some(Value::Text(text)) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
                writer.write_field(format!("'{text}"))?;
            }
            Some(Value::Text(text)) => writer.write_field(text.as_bytes())?,
        }
    }
    writer.write_record(None::<&[u8]>)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Campaign, EntryId, Salt};

    fn entry(campaign: &str) -> Entry {
        Entry {
            id: EntryId::new(Moment::from_millis(1000), [0; 10]),
            time: Moment::from_millis(1000),
            context: Arc::new(Context {
                op: Op::Check,
                agency: AgencyId::parse("a").ok(),
                seller: Some(SellerRef::All),
                key: None,
                campaign: Campaign::parse(campaign).ok(),
                channels: None,
                detail: None,
            }),
            pn: Some(Pseudonym([1; 16])),
            answer: Some(crate::domain::Answer::NotListed),
            salt: Salt([0; 16]),
            writer: [0; 8],
            writer_seq: 1,
            client_seq: None,
        }
    }

    #[test]
    fn a_cell_never_begins_a_formula() {
        for campaign in ["=1+1", "+1", "-1", "@A1"] {
            let mut writer = csv::Writer::from_writer(Vec::new());
            write_csv_row(&entry(campaign), &mut writer).unwrap();
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            assert!(text.contains(&format!(",'{campaign},")), "{text}");
        }
    }

    #[test]
    fn each_filter_limits_by_itself() {
        let entry = entry("x");
        let at = |millis| Some(Moment::from_millis(millis));
        let all = Filter::default();
        assert!(all.admits(&entry, None));
        for (filter, admits) in [
            (
                Filter {
                    from: at(1000),
                    ..all.clone()
                },
                true,
            ),
            (
                Filter {
                    from: at(1001),
                    ..all.clone()
                },
                false,
            ),
            (
                Filter {
                    to: at(1001),
                    ..all.clone()
                },
                true,
            ),
            (
                Filter {
                    to: at(1000),
                    ..all.clone()
                },
                false,
            ),
            (
                Filter {
                    op: Some(Op::Check),
                    ..all.clone()
                },
                true,
            ),
            (
                Filter {
                    op: Some(Op::Register),
                    ..all.clone()
                },
                false,
            ),
            (
                Filter {
                    agency: AgencyId::parse("a").ok(),
                    ..all.clone()
                },
                true,
            ),
            (
                Filter {
                    agency: AgencyId::parse("b").ok(),
                    ..all.clone()
                },
                false,
            ),
            (
                Filter {
                    seller: Some(SellerRef::All),
                    ..all.clone()
                },
                true,
            ),
            (
                Filter {
                    seller: SellerRef::parse("s").ok(),
                    ..all.clone()
                },
                false,
            ),
            (
                Filter {
                    answer: Some("not_listed".into()),
                    ..all.clone()
                },
                true,
            ),
            (
                Filter {
                    answer: Some("suppress".into()),
                    ..all.clone()
                },
                false,
            ),
        ] {
            assert_eq!(filter.admits(&entry, None), admits, "{filter:?}");
        }
        assert!(all.admits(&entry, Some(&HashSet::from([Pseudonym([1; 16])]))));
        assert!(!all.admits(&entry, Some(&HashSet::from([Pseudonym([2; 16])]))));
    }
}
