//! One log: its entries, its tiles, its own checkpoints, and what its readers hold of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::content::{self, Seen, Task};
use super::folder::{Folder, Item};
use super::report::{Content, LogReport, Place, Report};
use super::sequence::Break;
use super::signed::{self, Signed};
use super::{Given, Receipt, VerifyError, tree};
use crate::log::proof::check_inclusion;
use crate::log::{Hash, TlogProof, Verifier, leaf_hash};

/// How often, and how long in all, a log that grows may take to publish a checkpoint that it has
/// put among the older ones already.
const PATIENCE: (u32, Duration) = (20, Duration::from_millis(25));

/// Something that does not hold.
type Wrong = (Place, String);

/// A checkpoint that is kept with the log: the size in its file's name, the name, its bytes.
type Kept = (u64, String, Vec<u8>);

/// Verifies the log of this folder, with whatever belongs to it of what is given, and reports it.
pub(super) fn verify(
    folder: &Folder,
    keys: &[Verifier],
    given: &mut Given<'_>,
    report: &mut Report,
    progress: &dyn Fn(u64),
) -> Result<(), VerifyError> {
    // Listed before the newest is read: of a log that grows, hardly anything is then newer than that.
    let files = folder.files()?;
    let mut kept = Vec::new();
    for (size, label) in folder.kept()? {
        kept.push((size, folder.file(&label)?.unwrap_or_default(), label));
    }
    let kept: Vec<Kept> = kept
        .into_iter()
        .map(|(size, bytes, label)| (size, label, bytes))
        .collect();
    let name = folder.name.clone().unwrap_or_else(|| "log".to_owned());
    let newest = match folder
        .file("checkpoint")?
        .map(|bytes| signed::open(&bytes, keys))
    {
        Some(Ok(newest)) => newest,
        Some(Err(what)) => {
            report.add(&name, Place::Checkpoint("checkpoint".into()), what);
            return Ok(());
        }
        None => {
            report.add(&name, Place::Log, "its checkpoint is missing");
            return Ok(());
        }
    };
    let log = begin(folder, &newest, report);
    let mut one = One {
        folder,
        keys,
        log,
        roots: BTreeMap::new(),
        wrong: Vec::new(),
    };
    one.examine(&newest, kept, given, progress)?;
    one.examine_files(&files);
    for (place, what) in one.wrong {
        report.add(&one.log.name, place, what);
    }
    report.logs.push(one.log);
    Ok(())
}

/// What the log says of itself, and whether it is where it belongs.
fn begin(folder: &Folder, newest: &Signed, report: &mut Report) -> LogReport {
    let checkpoint = newest.checkpoint.clone();
    let last_part = checkpoint.origin.rsplit('/').next().unwrap_or_default();
    let name = folder.name.clone().unwrap_or_else(|| last_part.to_owned());
    if name != last_part {
        let what = format!("its checkpoint is of another log, {}", checkpoint.origin);
        report.add(&name, Place::Log, what);
    }
    if report
        .logs
        .iter()
        .any(|log| log.origin == checkpoint.origin)
    {
        let what = format!("there is another log of {} here", checkpoint.origin);
        report.add(&name, Place::Log, what);
    }
    let there = checkpoint.size == 0 || folder.has_entries();
    let content = match &folder.part {
        _ if !there => Content::Nothing,
        Some(part) if part.start > 0 || part.end < checkpoint.size => Content::Range(part.clone()),
        _ => Content::All,
    };
    LogReport {
        name,
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: checkpoint.root,
        content,
        older: 0,
        held: Vec::new(),
        receipts: Vec::new(),
        witnesses: newest.witnesses.clone(),
        agencies: BTreeMap::new(),
        writers: BTreeMap::new(),
        incidents: Vec::new(),
        losses: Vec::new(),
        deletions: Vec::new(),
        not_signed: Vec::new(),
    }
}

/// A log while it is verified.
struct One<'a> {
    folder: &'a Folder,
    keys: &'a [Verifier],
    log: LogReport,
    /// The roots that the entries give, by size.
    roots: BTreeMap<u64, Hash>,
    wrong: Vec<Wrong>,
}

impl One<'_> {
    fn examine(
        &mut self,
        newest: &Signed,
        kept: Vec<Kept>,
        given: &mut Given<'_>,
        progress: &dyn Fn(u64),
    ) -> Result<(), VerifyError> {
        let (held, receipts) = given.take(&self.log.origin);
        let size = self.log.size;
        let sizes = kept.iter().map(|(size, ..)| *size);
        let sizes = sizes.chain(held.iter().map(|(_, held)| held.checkpoint.size));
        let sizes = sizes.chain(receipts.iter().map(|(_, _, held)| held.checkpoint.size));
        let task = Task {
            folder: self.folder,
            size,
            content: self.log.content.range(size),
            sizes: sizes.chain([size]).filter(|asked| *asked <= size).collect(),
            leaves: receipts.iter().map(|(_, proof, _)| proof.index).collect(),
        };
        let seen = content::read(&task, progress)?;
        self.take(&seen);
        if !seen.broken_off {
            tree::check_tiles(self.folder, &seen.full, &mut |place, what| {
                self.wrong.push((place, what));
            })?;
            self.roots = tree::roots(task.sizes.iter().copied(), &seen);
        }
        let confirmed = self.check_kept(kept)?;
        self.log.older = confirmed.len() as u64;
        let checked = self.compare("checkpoint", newest, &confirmed);
        self.wrong.extend(checked.err());
        // What lies with the log may be forged too: only what is held narrows what is held.
        let mut good = Vec::new();
        for (label, held) in held {
            match self.compare(&label, &held, &good) {
                Ok(()) => {
                    good.push(held.checkpoint.size);
                    self.log.held.push((label, held.checkpoint.size));
                }
                Err(wrong) => self.wrong.push(wrong),
            }
        }
        for (receipt, proof, held) in receipts {
            match self.check_receipt(receipt, &proof, &held, &seen) {
                Ok(()) => self.log.receipts.push((receipt.name.clone(), proof.index)),
                Err(wrong) => self.wrong.push(wrong),
            }
        }
        Ok(())
    }

    /// Nothing lies here that was not signed; in the folder of a service it is only told.
    fn examine_files(&mut self, files: &[Item]) {
        let content = self.log.content.range(self.log.size);
        for Item { path, plain } in files {
            let part = self.folder.is_part(path, self.log.size, &content);
            let what = match (part, *plain || self.folder.of_service) {
                (true, true) => continue,
                (true, false) => "it is not a plain file",
                (false, _) => "it is no part of what was signed",
            };
            match self.folder.of_service {
                true => self.log.not_signed.push(path.clone()),
                false => self
                    .wrong
                    .push((Place::File(path.clone()), what.to_owned())),
            }
        }
    }

    /// Takes over what was read of the entries.
    fn take(&mut self, seen: &Seen) {
        self.log.agencies.extend(seen.sequences.agencies());
        self.log.writers.extend(seen.sequences.writers());
        self.log.incidents.clone_from(&seen.incidents);
        self.log.deletions.clone_from(&seen.deletions);
        if let (bundles, Some((index, what))) = seen.different {
            let mut what = what.to_owned();
            if bundles > 1 {
                what += &format!(
                    "; {} later bundles differ from their tiles too",
                    bundles - 1
                );
            }
            self.wrong.push((Place::Entry(index), what));
        }
        for (broken, incident) in &seen.explained {
            self.log.losses.push(format!(
                "entry {} is number {} of {}, after number {}: the store had lost entries, as entry \
                 {incident} says",
                broken.index, broken.number, broken.whose, broken.before
            ));
        }
        for broken in &seen.broken {
            let what = self.break_in_words(broken);
            self.wrong.push((Place::Entry(broken.index), what));
        }
        self.wrong.extend(seen.findings.iter().cloned());
        if seen.broken_off {
            let what = "so much is wrong that it was not read to its end";
            self.wrong.push((Place::Log, what.to_owned()));
        }
    }

    fn break_in_words(&self, broken: &Break) -> String {
        let mut what = format!(
            "it is number {} of {}, after number {}: entries were lost, removed or moved",
            broken.number, broken.whose, broken.before
        );
        let incidents = self.log.incidents.iter();
        if let Some(near) = incidents.min_by_key(|near| near.index.abs_diff(broken.index)) {
            what += &format!(
                "; an incident is on record: entry {}, {}, {:?}",
                near.index, near.time, near.word
            );
        }
        what
    }

    /// The sizes of the older checkpoints that are confirmed.
    fn check_kept(&mut self, kept: Vec<Kept>) -> Result<Vec<u64>, VerifyError> {
        let mut confirmed = Vec::new();
        for (named, label, bytes) in kept {
            let place = || Place::Checkpoint(label.clone());
            let checked = match signed::open(&bytes, self.keys) {
                Err(what) => Err((place(), what)),
                Ok(held) if held.checkpoint.size != named => {
                    let what = "it is another checkpoint than its name says".to_owned();
                    Err((place(), what))
                }
                Ok(held) if named > self.log.size && held.fault.is_none() => {
                    if self.grows_to(named)? {
                        continue;
                    }
                    self.compare(&label, &held, &confirmed)
                }
                Ok(held) => self.compare(&label, &held, &confirmed),
            };
            match checked {
                Ok(()) => confirmed.push(named),
                Err(wrong) => self.wrong.push(wrong),
            }
        }
        Ok(confirmed)
    }

    /// Whether a service is writing this log just now, and its checkpoint has reached this size.
    fn grows_to(&self, size: u64) -> Result<bool, VerifyError> {
        for _ in 0..PATIENCE.0 {
            let bytes = self.folder.file("checkpoint")?.unwrap_or_default();
            let now = signed::open(&bytes, self.keys);
            if now.is_ok_and(|now| now.fault.is_none() && now.checkpoint.size >= size) {
                return Ok(true);
            }
            std::thread::sleep(PATIENCE.1);
        }
        Ok(false)
    }

    /// Whether a checkpoint is what this log's entries give. `good` are the sizes at which they are
    /// known to be right, as far as whoever asks may rely on that.
    fn compare(&self, label: &str, held: &Signed, good: &[u64]) -> Result<(), Wrong> {
        let wrong = |what: String| Err((Place::Checkpoint(label.to_owned()), what));
        let checkpoint = &held.checkpoint;
        let size = checkpoint.size;
        if checkpoint.origin != self.log.origin {
            return wrong(format!("it is of another log, {}", checkpoint.origin));
        }
        if let Some(fault) = &held.fault {
            return wrong(fault.clone());
        }
        if size > self.log.size {
            let now = self.log.size;
            return wrong(format!(
                "the history is shorter than this checkpoint: {now} entries, not {size}"
            ));
        }
        match self.roots.get(&size) {
            Some(root) if *root == checkpoint.root => Ok(()),
            None => wrong("it could not be compared: the log was not read to its end".to_owned()),
            Some(_) => {
                let good = good.iter().copied().filter(|good| *good < size);
                let suspects: Range<u64> = good.max().unwrap_or(0)..size;
                let what =
                    format!("the first {size} entries are not those that {label} was signed for");
                Err((Place::Entries(suspects), what))
            }
        }
    }

    fn check_receipt(
        &self,
        receipt: &Receipt,
        proof: &TlogProof,
        held: &Signed,
        seen: &Seen,
    ) -> Result<(), Wrong> {
        let place = || Place::Receipt(receipt.name.clone());
        let wrong = |what: String| Err((place(), what));
        if let Some(fault) = &held.fault {
            return wrong(fault.clone());
        }
        let index = proof.index;
        let Some(there) = seen.leaves.get(&index) else {
            let size = self.log.size;
            return wrong(format!(
                "its entry {index} is not in this log, of which {size} entries are here"
            ));
        };
        let entry = receipt.entry.as_deref().map(<[u8]>::trim_ascii_end);
        let leaf = entry.map_or(*there, leaf_hash);
        let checkpoint = &held.checkpoint;
        let (size, root) = (checkpoint.size, &checkpoint.root);
        if let Err(error) = check_inclusion(&leaf, index, size, &proof.hashes, root) {
            return wrong(format!("it does not prove this entry {index}: {error}"));
        }
        if *there != leaf {
            let what = format!("the receipt {} proves another entry", receipt.name);
            return Err((Place::Entry(index), what));
        }
        if size <= self.log.size {
            return self.compare(&receipt.name, held, &[]);
        }
        Ok(())
    }
}
