//! Where a CONNECT goes: to our own listener, on to the previous proxy, or straight to the host.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use url::Url;

use super::head::{Lines, read_lines};
use crate::config::Environment;
use crate::local::noproxy::NoProxy;

/// The routes of the proxy.
#[derive(Debug, Clone)]
pub struct Routes {
    /// Our host name.
    pub host: String,
    /// Where our host's port 443 leads.
    pub server: SocketAddr,
    /// How every other host is reached.
    pub upstream: Upstream,
}

/// The way to the rest of the world: through the proxy of the server's own environment, if it has one.
#[derive(Debug, Clone, Default)]
pub struct Upstream {
    previous: Option<Url>,
    except: NoProxy,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoRoute {
    /// Our host, at a port that is not ours.
    Refused,
    /// The connection failed.
    Failed(io::Error),
}

impl NoRoute {
    pub(super) fn status(&self) -> &'static str {
        match self {
            Self::Refused => "403 Forbidden",
            Self::Failed(_) => "502 Bad Gateway",
        }
    }
}

impl fmt::Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("that port of our host is not ours"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for NoRoute {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Upstream {
    /// Reads `HTTPS_PROXY` and `NO_PROXY`; after `forge env`, what they were before it.
    pub fn from_environment(environment: &Environment) -> Self {
        let managed = environment.value("FORGE_PREVIOUS").unwrap_or_default();
        let value = |name: &str| {
            if managed.split_ascii_whitespace().any(|known| known == name) {
                environment.value(&format!("FORGE_PREVIOUS_{name}"))
            } else {
                environment.value(name)
            }
        };
        let first = |names: [&str; 2]| names.into_iter().find_map(value);
        let previous = first(["https_proxy", "HTTPS_PROXY"]).or_else(|| first(["all_proxy", "ALL_PROXY"]));
        Self {
            previous: previous.and_then(usable),
            except: first(["no_proxy", "NO_PROXY"]).map(NoProxy::parse).unwrap_or_default(),
        }
    }

    fn proxy_for(&self, host: &str, own: SocketAddr) -> Option<&Url> {
        let is_loopback = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        // A server started by hand with our own proxy in its environment would call itself for ever.
        let is_own = |proxy: &&Url| {
            proxy.port_or_known_default() == Some(own.port())
                && matches!(proxy.host_str(), Some("127.0.0.1" | "localhost"))
        };
        self.previous.as_ref().filter(|proxy| !is_loopback && !is_own(proxy) && !self.except.matches(host))
    }
}

fn usable(text: &str) -> Option<Url> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&text).ok().filter(|url| url.scheme() == "http" && url.host_str().is_some());
    if url.is_none() {
        tracing::warn!("the proxy in the environment is not an http:// proxy and is not used");
    }
    url
}

impl Routes {
    /// Connects to where `host:port` leads.
    pub(super) async fn connect(&self, host: &str, port: u16, own: SocketAddr) -> Result<TcpStream, NoRoute> {
        if self.is_ours(host) {
            let is_our_port = port == 443 || port == self.server.port();
            return if is_our_port {
                Ok(TcpStream::connect(self.server).await?)
            } else {
                Err(NoRoute::Refused)
            };
        }
        match self.upstream.proxy_for(host, own) {
            Some(proxy) => Ok(through(proxy, host, port).await?),
            None => Ok(TcpStream::connect((host.trim_matches(['[', ']']), port)).await?),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        host == self.host || host.strip_prefix("api.").is_some_and(|rest| rest == self.host)
    }
}

/// Asks another proxy for the connection.
async fn through(proxy: &Url, host: &str, port: u16) -> io::Result<TcpStream> {
    let proxy_host = proxy.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((proxy_host, proxy.port_or_known_default().unwrap_or(80))).await?;
    let request =
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{}\r\n", authorization(proxy));
    stream.write_all(request.as_bytes()).await?;
    let Lines::Text(answer) = read_lines(&mut stream).await? else {
        return Err(io::Error::other("the previous proxy gave no answer"));
    };
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if status.starts_with('2') {
        return Ok(stream);
    }
    Err(io::Error::other(format!("the previous proxy answered {status}")))
}

fn authorization(proxy: &Url) -> String {
    if proxy.username().is_empty() {
        return String::new();
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let mut pair = decode(proxy.username());
    pair.push(b':');
    pair.extend(decode(proxy.password().unwrap_or_default()));
    format!("Proxy-Authorization: Basic {}\r\n", data_encoding::BASE64.encode(&pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7);

    fn upstream(pairs: &[(&str, &str)]) -> Upstream {
        Upstream::from_environment(&pairs.iter().copied().collect())
    }

    fn chosen(pairs: &[(&str, &str)], host: &str) -> Option<String> {
        upstream(pairs).proxy_for(host, OWN).map(Url::to_string)
    }

    #[test]
    fn the_environments_proxy_is_used_but_for_the_hosts_it_excepts() {
        let pairs = [("HTTPS_PROXY", "http://corp:3128"), ("NO_PROXY", "inside.example")];
        assert_eq!(chosen(&pairs, "github.com").as_deref(), Some("http://corp:3128/"));
        for host in ["www.inside.example", "localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(chosen(&pairs, host), None, "{host}");
        }
        assert_eq!(
            chosen(&[("HTTPS_PROXY", "corp:3128")], "github.com").as_deref(),
            Some("http://corp:3128/")
        );
        assert_eq!(chosen(&[("HTTPS_PROXY", "socks5://corp:1080")], "github.com"), None);
    }

    #[test]
    fn after_forge_env_the_proxy_from_before_it_counts() {
        let managed = ("FORGE_PREVIOUS", "HTTPS_PROXY https_proxy");
        let ours = ("HTTPS_PROXY", "http://forge:old@127.0.0.1:9");
        assert_eq!(chosen(&[managed, ours], "github.com"), None);
        let saved = ("FORGE_PREVIOUS_HTTPS_PROXY", "http://corp:3128");
        assert_eq!(chosen(&[managed, ours, saved], "github.com").as_deref(), Some("http://corp:3128/"));
    }

    #[test]
    fn the_proxy_never_calls_itself() {
        assert_eq!(chosen(&[("HTTPS_PROXY", "http://forge:x@127.0.0.1:7")], "github.com"), None);
    }

    #[test]
    fn the_password_of_the_previous_proxy_is_sent_decoded() {
        let proxy = Url::parse("http://us%40er:p%3Aw@corp:1").unwrap();
        assert_eq!(authorization(&proxy), "Proxy-Authorization: Basic dXNAZXI6cDp3\r\n");
        assert_eq!(authorization(&Url::parse("http://corp:1").unwrap()), "");
    }
}
