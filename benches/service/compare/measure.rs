//! One thing that is measured once a round.

use std::fmt;

use crate::load::wrk::Connections;
use crate::server::metrust::Mode;

/// Who is asked, about which numbers, and how. In this order of its parts, those that are compared
/// come one after the other in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Measure {
    /// How.
    pub how: How,
    /// About which numbers.
    pub about: About,
    /// Who.
    pub who: Who,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// nginx with Lua: one `GET`, unaudited.
    Get,
    /// nginx with a constant.
    Constant,
    /// Webdis: one `SISMEMBER`, unaudited.
    Webdis,
    /// Redis itself.
    Redis,
    /// metrust, answering as text.
    Text(Mode),
    /// metrust, answering in JSON.
    Json(Mode),
    /// Reading a number and finding its pseudonyms, in this process: no server, no store.
    Reading,
}

/// How it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// The next request leaves when the last answer is there.
    Closed(Connections),
    /// So many a second, on a fixed schedule.
    Open(u32),
}

/// About which numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// Belgian mobile numbers in E.164, one in ten of them listed.
    Mobile,
    /// Numbers of one region in E.164.
    OneRegion,
    /// Numbers of all regions, mixed, in E.164.
    AllRegions,
    /// Numbers of one region as they are written there, with `region`.
    OneRegionNational,
    /// Numbers of all regions, mixed, as they are written there.
    AllRegionsNational,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.who, self.how)?;
        match self.about {
            About::Mobile => Ok(()),
            About::OneRegion => f.write_str(", one region"),
            About::AllRegions => f.write_str(", all regions"),
            About::OneRegionNational => f.write_str(", one region, national form"),
            About::AllRegionsNational => f.write_str(", all regions, national form"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => f.write_str("nginx+Lua GET"),
            Self::Constant => f.write_str("nginx constant"),
            Self::Webdis => f.write_str("Webdis SISMEMBER"),
            Self::Redis => f.write_str("Redis GET"),
            Self::Text(mode) => f.write_str(mode.name()),
            Self::Json(mode) => write!(f, "{}, JSON", mode.name()),
            Self::Reading => f.write_str("reading and pseudonyms alone"),
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(Connections::Kept(0)) => f.write_str("in a loop"),
            Self::Closed(Connections::Kept(count)) => write!(f, "{count} connections"),
            Self::Closed(Connections::PerCheck(count)) => {
                write!(f, "a connection per check, {count} at a time")
            }
            Self::Open(rate) => write!(f, "{rate}/s open loop"),
        }
    }
}
