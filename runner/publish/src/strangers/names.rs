//! What host names mean to a validator: those its owner named, those of its proxies, and where the others lead.
use super::addresses::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::env;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Where the names of a network of one's own end. Behind a proxy, which alone resolves names, no address shows it.
const OF_NO_NETWORK_BUT_ONES_OWN: [&str; 3] = ["internal", "local", "localhost"];

/// Where a stranger leads, and no stranger may.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0} is no public address")]
pub(super) struct NotPublic(pub(super) IpAddr);

/// The hosts that are known.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    private: Vec<String>,
    proxies: Vec<String>,
}

impl Hosts {
    /// `private` are the owner's; the proxies are those of this process's environment.
    pub(super) fn new(private: &[String]) -> Hosts {
        let bracketed = |host: &str| match host.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => host.to_owned(),
        };
        let private = private.iter().map(|host| bracketed(&plain(host.trim()))).collect();
        let proxies = ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"].into_iter();
        let proxies = proxies.flat_map(|name| [name.to_owned(), name.to_ascii_lowercase()]);
        let proxies = proxies.filter_map(|name| env::var(name).ok()).filter_map(|value| host_of(&value));
        Hosts { private, proxies: proxies.collect() }
    }

    /// Whether the owner lets this host have any address.
    pub(super) fn are_named(&self, url: &Url) -> bool {
        let host = plain(url.host_str().unwrap_or_default());
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
        self.private.iter().any(|named| *named == host || Some(named) == with_port.as_ref())
    }

    /// What is wrong with a host as it is written, before anything is resolved.
    pub(super) fn problem(&self, url: &Url) -> Option<String> {
        match url.host() {
            Some(Host::Ipv4(address)) => not_public(address.into()),
            Some(Host::Ipv6(address)) => not_public(address.into()),
            Some(Host::Domain(name)) => {
                let name = plain(name);
                let last = name.rsplit('.').next().unwrap_or_default();
                let own = last == name || OF_NO_NETWORK_BUT_ONES_OWN.contains(&last);
                if self.proxies.contains(&name) {
                    Some("that is our proxy".to_owned())
                } else {
                    (own && !self.proxies.is_empty()).then(|| "that is no public name".to_owned())
                }
            }
            None => Some("it has no host".to_owned()),
        }
    }
}

fn not_public(address: IpAddr) -> Option<String> {
    (!is_public(address)).then(|| NotPublic(address).to_string())
}

/// Names are the same in capitals and with a dot at the end.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn host_of(proxy: &str) -> Option<String> {
    let url = if proxy.contains("://") { Url::parse(proxy) } else { Url::parse(&format!("http://{proxy}")) };
    url.ok()?.host_str().map(plain)
}

/// Finds the addresses of hosts, and only public ones but for a proxy's: what is judged here is what is connected to, whatever
/// the name means a moment later.
impl Resolve for Hosts {
    fn resolve(&self, name: Name) -> Resolving {
        let proxy = self.proxies.contains(&plain(name.as_str()));
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (may, others): (Vec<SocketAddr>, Vec<_>) = found.partition(|found| proxy || is_public(found.ip()));
            match others.first() {
                Some(other) if may.is_empty() => Err(NotPublic(other.ip()).into()),
                _ => Ok(Box::new(may.into_iter()) as Addrs),
            }
        })
    }
}
