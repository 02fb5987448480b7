//! All servers of a comparison, and how each is asked.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::measure::{About, How, Measure, Who};
use super::regions::{self, Reading};
use crate::Result;
use crate::load::open::{Open, Protocol, http};
use crate::load::wrk::{Connections, Wrk};
use crate::load::{Sample, raw};
use crate::numbers;
use crate::program::Core;
use crate::server::Route;
use crate::server::metrust::{Metrust, Mode};
use crate::server::nginx::{KEY, Nginx};
use crate::server::redis::Redis;
use crate::server::webdis::{SET, Webdis};
use crate::site::Site;

/// Connections of the open loop.
const LINES: usize = 256;

/// How long a server is warmed up before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// What the peers that look a number up find it in.
struct Plain {
    /// Behind nginx and Webdis, on core 0.
    redis: Redis,
    nginx: Nginx,
    webdis: Webdis,
    /// Asked without anybody before it, hence on core 1.
    bare: Redis,
}

/// Everything that is asked in one run.
pub struct Field {
    plain: Plain,
    services: BTreeMap<Mode, Metrust>,
    wrk: Wrk,
    numbers: BTreeMap<About, (PathBuf, Vec<String>)>,
    reading: Reading,
}

impl Field {
    /// Starts what the measures need.
    pub fn start(site: &Site, measures: &[Measure]) -> Result<Self> {
        let mut redis = Redis::start(site, "plain-redis", Core::Load, "everysec")?;
        let mut bare = Redis::start(site, "bare-redis", Core::Server, "everysec")?;
        let mut keys = redis::pipe();
        let mut members = redis::pipe();
        for n in 0..numbers::LISTED {
            let number = numbers::escaped(&numbers::number(n));
            keys.set(format!("{KEY}{number}"), 1).ignore();
            members.sadd(SET, numbers::number(n)).ignore();
        }
        redis.send(&keys)?;
        redis.send(&members)?;
        bare.send(&keys)?;
        let nginx = Nginx::start(site, &redis)?;
        let webdis = Webdis::start(site, &redis)?;

        let mut services = BTreeMap::new();
        for measure in measures {
            if let Who::Text(mode) | Who::Json(mode) = measure.who
                && !services.contains_key(&mode)
            {
                let service = Metrust::start(site, "compare", mode, &[])?;
                service.fill()?;
                services.insert(mode, service);
            }
        }
        let mut files = BTreeMap::new();
        for about in measures.iter().map(|measure| measure.about) {
            let Entry::Vacant(place) = files.entry(about) else {
                continue;
            };
            let asked = match about {
                About::Mobile => numbers::asked(),
                _ => regions::asked(about)?,
            };
            let file = site.path(&format!("{about:?}.txt"));
            fs::write(&file, asked.join("\n"))?;
            place.insert((file, asked));
        }
        Ok(Self {
            plain: Plain {
                redis,
                nginx,
                webdis,
                bare,
            },
            services,
            wrk: Wrk::new(site)?,
            numbers: files,
            reading: Reading::new(),
        })
    }

    /// Takes one measure once.
    pub fn sample(&mut self, measure: &Measure, time: Duration) -> Result<Sample> {
        if measure.who == Who::Reading {
            return self.reading.sample(measure.about, time);
        }
        for service in self.services.values() {
            service.settle()?;
        }
        let (file, asked) = self
            .numbers
            .get(&measure.about)
            .ok_or("no numbers to ask about")?;
        match (measure.how, measure.who) {
            (How::Closed(connections), Who::Redis) => {
                let (Connections::Kept(count) | Connections::PerCheck(count)) = connections;
                // It counts requests and not time: about as many as it answers in that time.
                let requests = |time: Duration| (time.as_secs_f64() * 60_000.0) as u64;
                raw::benchmark(self.plain.bare.address, count, requests(WARM_UP))?;
                raw::benchmark(self.plain.bare.address, count, requests(time))
            }
            (How::Closed(connections), who) => {
                let route = self.route(who)?;
                self.wrk.run(&route, file, connections, WARM_UP)?;
                self.wrk.run(&route, file, connections, time)
            }
            (How::Open(rate), who) => {
                let (address, requests, protocol) = match who {
                    Who::Redis => (self.plain.bare.address, gets(asked), Protocol::Redis),
                    _ => {
                        let route = self.route(who)?;
                        (route.address, http(&route, asked), Protocol::Http)
                    }
                };
                let open = Open {
                    address,
                    requests,
                    protocol,
                    rate: rate.into(),
                    connections: LINES,
                    warm_up: WARM_UP,
                    time,
                    keep_ids: false,
                };
                Ok(open.run()?.sample())
            }
        }
    }

    fn route(&self, who: Who) -> Result<Route> {
        // Everybody gets a key of the same length, whether or not they want one.
        let key = self
            .services
            .values()
            .next()
            .map(|service| service.dialler.clone());
        let key = key.unwrap_or_else(|| "k".repeat(64));
        let service = |mode| {
            self.services
                .get(&mode)
                .ok_or("a service that was not started")
        };
        Ok(match who {
            Who::Get => self.plain.nginx.get(&key),
            Who::Constant => self.plain.nginx.constant(&key),
            Who::Webdis => self.plain.webdis.is_member(&key),
            Who::Text(mode) => service(mode)?.check("text"),
            Who::Json(mode) => service(mode)?.check("json"),
            Who::Redis | Who::Reading => return Err(format!("{who} does not speak HTTP").into()),
        })
    }

    /// Sees that everything still stands and is all sealed, before it is ended.
    pub fn finish(mut self) -> Result<()> {
        for service in self.services.values() {
            service.settle()?;
        }
        match self.plain.redis.is_there() && self.plain.bare.is_there() {
            true => Ok(()),
            false => Err("a Redis ended during the run".into()),
        }
    }
}

/// `GET` of each number's key, as Redis reads it.
fn gets(asked: &[String]) -> Vec<Vec<u8>> {
    let requests = asked.iter().map(|number| {
        let key = format!("{KEY}{number}");
        format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len()).into_bytes()
    });
    requests.collect()
}
