//! Who is at the other end, as far as limits need to know.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// What limits count by: an IPv4 address, or the /64 network of an IPv6 address, which is what
/// one connection at home usually has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network around it: an IPv4 /24, an IPv6 /48.
    pub(super) fn wider(self) -> Self {
        Self(match self.0 {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from(u32::from(v4) & (u32::MAX << 8))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & (u128::MAX << 80))),
        })
    }
}

/// The client's network: the peer's, or, where the peer is a trusted proxy, the last address of
/// `X-Forwarded-For` that is not one.
#[must_use]
pub fn client_network(request: &HttpRequest, trusted: &[IpNet]) -> Network {
    let peer = request
        .peer_addr()
        .map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|text| text.trim().parse().ok());
    network(resolve(peer, forwarded.collect(), trusted))
}

/// Walks from the peer backwards through the proxies that are trusted; what the first untrusted
/// one claims is not believed.
fn resolve(peer: IpAddr, forwarded: Vec<Option<IpAddr>>, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    for hop in forwarded.into_iter().rev() {
        if !trusted.iter().any(|network| network.contains(&client)) {
            break;
        }
        match hop {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

fn network(address: IpAddr) -> Network {
    Network(match address.to_canonical() {
        IpAddr::V6(v6) => {
            let high = u128::from(v6) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(high))
        }
        v4 => v4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let chain = || {
            vec![
                Some(ip("1.1.1.1")),
                Some(ip("2.2.2.2")),
                Some(ip("10.0.0.9")),
            ]
        };
        assert_eq!(resolve(ip("9.9.9.9"), chain(), &trusted), ip("9.9.9.9"));
        assert_eq!(resolve(ip("10.0.0.1"), chain(), &trusted), ip("2.2.2.2"));
        assert_eq!(
            resolve(ip("10.0.0.1"), vec![None], &trusted),
            ip("10.0.0.1")
        );
        assert_eq!(resolve(ip("10.0.0.1"), chain(), &[]), ip("10.0.0.1"));
    }

    #[test]
    fn a_home_s_ipv6_network_counts_as_one() {
        let ip = |text: &str| network(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2::3"), ip("2001:db8:1:2:ffff::1"));
        assert_ne!(ip("2001:db8:1:2::3"), ip("2001:db8:1:3::3"));
        assert_eq!(ip("::ffff:1.2.3.4"), ip("1.2.3.4"));
        assert_eq!(ip("1.2.3.4").wider(), ip("1.2.3.250").wider());
        assert_ne!(ip("1.2.3.4").wider(), ip("1.2.4.4").wider());
        assert_eq!(ip("2001:db8:1:2::3").wider(), ip("2001:db8:1:9::").wider());
        assert_ne!(ip("2001:db8:1:2::3").wider(), ip("2001:db8:2:2::3").wider());
    }
}
