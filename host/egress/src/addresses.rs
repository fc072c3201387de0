//! Which addresses a destination's name may resolve to. The user granted the name, and whoever runs its
//! DNS decides the addresses.

use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// Whether a name may resolve to an address of a private network or of this machine. It may never
/// resolve to a link-local address: clouds have their metadata services there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrivateAddresses {
    /// It may: feature stores live in private networks.
    #[default]
    Allow,
    /// It may not. A URL that contains such an address itself is still granted.
    Deny,
}

/// The kind of an address that is not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Of this machine.
    Loopback,
    /// Of a private network (RFC 1918, RFC 6598, RFC 4193).
    Private,
    /// Of the link (RFC 3927, RFC 4291), or a metadata service of a cloud elsewhere.
    LinkLocal,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Loopback => "a loopback address",
            Kind::Private => "an address of a private network",
            Kind::LinkLocal => "an address of a metadata service or of the link",
        })
    }
}

/// The metadata services that are not link-local: of AWS over IPv6, and of Alibaba Cloud.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

impl Kind {
    fn of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V4(v4) if v4.is_link_local() || v4 == METADATA_V4 => Some(Kind::LinkLocal),
            IpAddr::V6(v6) if v6.is_unicast_link_local() || v6 == METADATA_V6 => {
                Some(Kind::LinkLocal)
            }
            // "This host", which systems take for the loopback address.
            address if address.is_loopback() || address.is_unspecified() => Some(Kind::Loopback),
            IpAddr::V4(v4) => {
                let [first, second, ..] = v4.octets();
                let is_shared = first == 100 && (64..128).contains(&second);
                (v4.is_private() || is_shared).then_some(Kind::Private)
            }
            IpAddr::V6(v6) => v6.is_unique_local().then_some(Kind::Private),
        }
    }
}

/// No address of a host may be connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is at {address}, {kind}; {}", advice(*.kind))]
pub struct AddressDenied {
    host: String,
    address: IpAddr,
    kind: Kind,
}

fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::LinkLocal => "no handler is let there",
        _ => "`sandbox.private_addresses = \"allow\"` lets a handler there",
    }
}

impl PrivateAddresses {
    fn denies(self, address: IpAddr) -> Option<Kind> {
        Kind::of(address).filter(|kind| *kind == Kind::LinkLocal || self == PrivateAddresses::Deny)
    }

    /// Checks the host of a URL that is an address itself. The user wrote it, so that only link-local
    /// addresses are denied.
    pub(crate) fn check(host: &str) -> Result<(), AddressDenied> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(address) = bare.parse::<IpAddr>() else { return Ok(()) };
        match PrivateAddresses::Allow.denies(address) {
            Some(kind) => Err(AddressDenied { host: host.to_owned(), address, kind }),
            None => Ok(()),
        }
    }

    /// The addresses that may be connected to, of all that a host has.
    fn allowed(
        self,
        host: &str,
        addresses: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, AddressDenied> {
        let (mut allowed, mut denied) = (Vec::new(), None);
        for address in addresses {
            match self.denies(address.ip()) {
                None => allowed.push(address),
                Some(kind) => {
                    let host = host.to_owned();
                    denied = Some(AddressDenied { host, address: address.ip(), kind });
                }
            }
        }
        match denied {
            Some(denied) if allowed.is_empty() => Err(denied),
            _ => Ok(allowed),
        }
    }
}

/// The system's resolver, without the addresses that a name may not resolve to.
#[derive(Clone)]
pub(crate) struct Resolver {
    system: GaiResolver,
    private: PrivateAddresses,
}

impl Resolver {
    pub(crate) fn new(private: PrivateAddresses) -> Self {
        Resolver { system: GaiResolver::new(), private }
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Resolving;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Resolving { resolving: self.system.call(name), host, private: self.private }
    }
}

/// A name that is being resolved.
pub(crate) struct Resolving {
    resolving: GaiFuture,
    host: String,
    private: PrivateAddresses,
}

impl Future for Resolving {
    type Output = io::Result<std::vec::IntoIter<SocketAddr>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let addresses: GaiAddrs = ready!(Pin::new(&mut self.resolving).poll(cx))?;
        let allowed = self.private.allowed(&self.host, addresses);
        Poll::Ready(allowed.map(Vec::into_iter).map_err(io::Error::other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(address: &str) -> Option<Kind> {
        Kind::of(address.parse().unwrap())
    }

    #[test]
    fn loopback_private_and_link_local_are_told_apart_in_all_their_spellings() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"] {
            assert_eq!(kind(address), Some(Kind::Loopback), "{address}");
        }
        for address in
            ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fc00::1", "::ffff:10.0.0.1"]
        {
            assert_eq!(kind(address), Some(Kind::Private), "{address}");
        }
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
        ] {
            assert_eq!(kind(address), Some(Kind::LinkLocal), "{address}");
        }
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert_eq!(kind(address), None, "{address}");
        }
    }

    #[test]
    fn a_name_leads_to_those_of_its_addresses_that_are_allowed() {
        let all = ["10.0.0.1:1", "1.1.1.1:1", "169.254.169.254:1"].map(|it| it.parse().unwrap());
        let allowed = |private: PrivateAddresses, addresses: &[SocketAddr]| {
            private.allowed("features.example", addresses.iter().copied())
        };
        assert_eq!(allowed(PrivateAddresses::Allow, &all).unwrap(), all[..2]);
        assert_eq!(allowed(PrivateAddresses::Deny, &all).unwrap(), all[1..2]);
        assert_eq!(
            allowed(PrivateAddresses::Deny, &all[..1]).unwrap_err().to_string(),
            "features.example is at 10.0.0.1, an address of a private network; \
             `sandbox.private_addresses = \"allow\"` lets a handler there"
        );
        assert_eq!(
            allowed(PrivateAddresses::Allow, &all[2..]).unwrap_err().to_string(),
            "features.example is at 169.254.169.254, an address of a metadata service or of the \
             link; no handler is let there"
        );
    }

    #[test]
    fn an_address_that_the_user_wrote_is_denied_only_where_metadata_is() {
        assert!(PrivateAddresses::check("10.0.0.1").is_ok());
        assert!(PrivateAddresses::check("[::1]").is_ok());
        assert!(PrivateAddresses::check("169.254.169.254").is_err());
        assert!(PrivateAddresses::check("[fe80::1]").is_err());
        assert!(PrivateAddresses::check("features.example").is_ok());
    }
}
