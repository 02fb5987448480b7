//! One automaton for all national numbers of the world.
//!
//! The patterns of every kind of number, in every region that shares a
//! country code, are followed at once; a state remembers which of them are
//! still possible after the digits so far. Equal states are stored once, so
//! the whole world fits in a few hundred kilobytes and a number is judged by
//! one table step per digit: no lock, no allocation.
//!
//! A pattern must cover the whole number. (The `phonenumber` crate is content
//! with a match at its start, and so takes some numbers that are too long.)

use super::pattern::{ANY_DIGIT, Pattern};
use std::collections::HashMap;

/// The state from which no number can be reached any more.
pub(super) const DEAD: u32 = 0;

/// What a region contributes: the patterns by which a number is told.
#[derive(Default)]
pub(super) struct RegionPatterns {
    /// What a complete number of this region is labelled with; never 0.
    pub(super) label: u16,
    /// Numbers that begin like this are this region's to judge.
    pub(super) leading: Option<Pattern>,
    /// What every number of the region looks like.
    pub(super) general: Option<Kind>,
    /// Fixed, mobile, freephone and so on: one of them must fit.
    pub(super) kinds: Vec<Kind>,
}

/// One kind of number.
pub(super) struct Kind {
    pub(super) pattern: Pattern,
    /// Bit `n`: a number of `n` digits is possible. 0: any length.
    pub(super) lengths: u32,
}

/// All states of the automaton.
pub(super) struct Automaton {
    states: Vec<State>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    next: [u32; 10],
    /// Not 0: the digits so far are a valid number, of this region.
    label: u16,
}

impl Automaton {
    /// Follows digits from a state. 0, or the label of the region whose valid
    /// number the digits are.
    pub(super) fn label_of(&self, from: u32, digits: &[u8]) -> u16 {
        let mut at = from;
        for digit in digits {
            let step = self
                .states
                .get(at as usize)
                .and_then(|s| s.next.get(usize::from(digit.wrapping_sub(b'0'))));
            match step {
                Some(&next) if next != DEAD => at = next,
                _ => return 0,
            }
        }
        self.states.get(at as usize).map_or(0, |s| s.label)
    }

    /// How many states there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }
}

/// Puts the automaton together, one country code after the other.
pub(super) struct Builder {
    states: Vec<State>,
    known: HashMap<State, u32>,
}

impl Builder {
    pub(super) fn new() -> Self {
        let dead = State {
            next: [DEAD; 10],
            label: 0,
        };
        Self {
            states: vec![dead],
            known: HashMap::from([(dead, DEAD)]),
        }
    }

    /// Adds the numbers of one country code, at most `longest` digits long,
    /// and returns the state to start from. The regions come in the order in
    /// which the crate asks them.
    pub(super) fn add(&mut self, regions: &[RegionPatterns], longest: usize) -> u32 {
        let mut net = Net::default();
        let start = net.lay(regions);
        let first = net.reach(&[start]);
        Walk {
            net: &net,
            regions,
            longest,
            done: HashMap::new(),
        }
        .state(self, first, 0)
    }

    pub(super) fn finish(self) -> Automaton {
        Automaton {
            states: self.states,
        }
    }

    fn intern(&mut self, state: State) -> u32 {
        if let Some(&id) = self.known.get(&state) {
            return id;
        }
        // Memory ends long before 2^32 states; if it did not, the number
        // would be refused.
        let id = u32::try_from(self.states.len()).unwrap_or(DEAD);
        self.states.push(state);
        self.known.insert(state, id);
        id
    }
}

/// A step of the patterns laid out as a network.
enum Step {
    /// Goes on with one digit of a set.
    Digit(u16, u32),
    /// Goes on in several places without a digit.
    Fork(Vec<u32>),
    /// The end of a pattern.
    End(End),
}

/// Which pattern has ended. The numbers are places in the list of regions.
#[derive(Clone, Copy)]
enum End {
    Leading(usize),
    General(usize),
    Kind(usize, usize),
}

#[derive(Default)]
struct Net {
    steps: Vec<Step>,
}

impl Net {
    fn push(&mut self, step: Step) -> u32 {
        let id = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        self.steps.push(step);
        id
    }

    /// Lays out all patterns of all regions, and returns where to start.
    fn lay(&mut self, regions: &[RegionPatterns]) -> u32 {
        let mut starts = Vec::new();
        for (r, region) in regions.iter().enumerate() {
            if let Some(leading) = &region.leading {
                // Leading digits stay seen, whatever follows.
                let end = self.push(Step::End(End::Leading(r)));
                let stay = self.push(Step::Fork(Vec::new()));
                let again = self.push(Step::Digit(ANY_DIGIT, stay));
                if let Some(Step::Fork(ways)) = self.steps.get_mut(stay as usize) {
                    ways.extend([end, again]);
                }
                starts.push(self.lay_one(leading, stay));
            }
            if let Some(general) = &region.general {
                let end = self.push(Step::End(End::General(r)));
                starts.push(self.lay_one(&general.pattern, end));
            }
            for (k, kind) in region.kinds.iter().enumerate() {
                let end = self.push(Step::End(End::Kind(r, k)));
                starts.push(self.lay_one(&kind.pattern, end));
            }
        }
        self.push(Step::Fork(starts))
    }

    /// Lays out one pattern that goes on at `then`, and returns its start.
    fn lay_one(&mut self, pattern: &Pattern, then: u32) -> u32 {
        match pattern {
            Pattern::Digit(set) => self.push(Step::Digit(*set, then)),
            Pattern::Sequence(parts) => parts
                .iter()
                .rev()
                .fold(then, |then, part| self.lay_one(part, then)),
            Pattern::Either(choices) => {
                let ways = choices.iter().map(|c| self.lay_one(c, then)).collect();
                self.push(Step::Fork(ways))
            }
            Pattern::Repeat(one, least, most) => {
                let mut at = then;
                for _ in *least..*most {
                    let more = self.lay_one(one, at);
                    at = self.push(Step::Fork(vec![more, then]));
                }
                (0..*least).fold(at, |at, _| self.lay_one(one, at))
            }
        }
    }

    /// Every step that can be reached without a digit, sorted.
    fn reach(&self, from: &[u32]) -> Vec<u32> {
        let mut open = from.to_vec();
        let mut found = Vec::new();
        while let Some(id) = open.pop() {
            match self.steps.get(id as usize) {
                Some(Step::Fork(ways)) => open.extend(ways),
                Some(_) => found.push(id),
                None => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Turns sets of steps into states, each set and depth once.
struct Walk<'a> {
    net: &'a Net,
    regions: &'a [RegionPatterns],
    longest: usize,
    done: HashMap<(usize, Vec<u32>), u32>,
}

impl Walk<'_> {
    fn state(&mut self, to: &mut Builder, steps: Vec<u32>, depth: usize) -> u32 {
        let key = (depth, steps);
        if let Some(&id) = self.done.get(&key) {
            return id;
        }
        let steps = &key.1;
        let mut next = [DEAD; 10];
        if depth < self.longest {
            // Digits that lead to the same steps are followed once.
            let mut seen: Vec<(Vec<u32>, u32)> = Vec::new();
            for (digit, place) in next.iter_mut().enumerate() {
                let after = self.after(steps, 1 << digit);
                if after.is_empty() {
                    continue;
                }
                *place = match seen.iter().find(|(known, _)| *known == after) {
                    Some((_, id)) => *id,
                    None => {
                        let reached = self.net.reach(&after);
                        let id = self.state(to, reached, depth + 1);
                        seen.push((after, id));
                        id
                    }
                };
            }
        }
        let label = self.judge(steps, depth);
        let id = to.intern(State { next, label });
        self.done.insert(key, id);
        id
    }

    fn after(&self, steps: &[u32], digit: u16) -> Vec<u32> {
        let follow = |id: &u32| match self.net.steps.get(*id as usize) {
            Some(Step::Digit(set, then)) if set & digit != 0 => Some(*then),
            _ => None,
        };
        steps.iter().filter_map(follow).collect()
    }

    /// The label of a number that ends here: the first region that claims it,
    /// by its leading digits if it has some, must know its kind.
    fn judge(&self, steps: &[u32], length: usize) -> u16 {
        let fits = |lengths: u32| lengths == 0 || lengths & (1 << length) != 0;
        let ends: Vec<End> = steps
            .iter()
            .filter_map(|id| match self.net.steps.get(*id as usize) {
                Some(Step::End(end)) => Some(*end),
                _ => None,
            })
            .collect();
        if ends.is_empty() {
            return 0;
        }
        for (r, region) in self.regions.iter().enumerate() {
            let general = region.general.as_ref().is_some_and(|g| {
                fits(g.lengths) && ends.iter().any(|e| matches!(e, End::General(x) if *x == r))
            });
            let known = general
                && ends.iter().any(|e| match e {
                    End::Kind(x, k) if *x == r => {
                        region.kinds.get(*k).is_some_and(|kind| fits(kind.lengths))
                    }
                    _ => false,
                });
            let claimed = match &region.leading {
                Some(_) if self.regions.len() > 1 => {
                    ends.iter().any(|e| matches!(e, End::Leading(x) if *x == r))
                }
                _ => known,
            };
            if claimed {
                return if known { region.label } else { 0 };
            }
        }
        0
    }
}
