//! Streamable HTTP on the loopback. Who may speak: who knows the token, by a name of this machine,
//! and not from a page of somebody else's.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use marula_core::{Error, ErrorKind, Result};
use rand::RngCore;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::{Server, State};

/// The path clients speak to.
const PATH: &str = "/mcp";
/// The most connections at a time.
const CONNECTIONS: usize = 128;
/// The most a request may hold: as much as a line on stdin.
const BODY: usize = 16 << 20;
/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

type Answer = Response<BoxBody<Bytes, Infallible>>;
type Service = StreamableHttpService<Server, LocalSessionManager>;

/// A new token: 256 bits nobody can guess.
pub fn token() -> SecretString {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// A server that listens, and does not answer yet.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
    token: [u8; 32],
}

/// Listens on a loopback address; port 0 takes a free one.
///
/// # Errors
/// `Refused` for an address that others reach; `Io` when the port is taken.
pub async fn bind(state: Arc<State>, address: SocketAddr, token: &SecretString) -> Result<Bound> {
    if !address.ip().is_loopback() {
        return Err(Error::new(ErrorKind::Refused, "only this machine may reach the server")
            .at(address.to_string())
            .hint("listen on 127.0.0.1 or [::1]; from elsewhere, come through ssh -L"));
    }
    if token.expose_secret().len() < 16 {
        return Err(Error::new(ErrorKind::Usage, "the token has fewer than 16 letters")
            .hint("leave it out: a good one is made and printed"));
    }
    let trouble = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("cannot listen: {error}"))
            .at(address.to_string())
            .hint("choose another port; 0 takes a free one")
    };
    let listener = TcpListener::bind(address).await.map_err(trouble)?;
    let address = listener.local_addr().map_err(trouble)?;
    let hosts =
        ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{}", address.port()));
    let origins = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("http://{name}:*"));
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .with_max_request_body_bytes(BODY);
    let service = StreamableHttpService::new(
        move || Ok(Server::new(Arc::clone(&state))),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    Ok(Bound { listener, address, service, token: Sha256::digest(token.expose_secret()).into() })
}

impl Bound {
    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Answers until the future is dropped.
    pub async fn serve(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let shared = Arc::new((self.service, self.token));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((stream, _)) = self.listener.accept().await else {
                // Too many open files, most likely: some will be closed.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request| {
                    let shared = Arc::clone(&shared);
                    async move { Ok::<_, Infallible>(answer(&shared.0, &shared.1, request).await) }
                });
                let served = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(PATIENCE)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
                if let Err(error) = served {
                    tracing::debug!(%error, "a connection ended");
                }
                drop(place);
            });
        }
    }
}

async fn answer(service: &Service, token: &[u8; 32], request: Request<Incoming>) -> Answer {
    if request.uri().path() != PATH {
        return plain(StatusCode::NOT_FOUND, "the server is at /mcp\n");
    }
    if !knows(&request, token) {
        let mut refused = plain(
            StatusCode::UNAUTHORIZED,
            "send the token that `marula mcp --http` printed: Authorization: Bearer TOKEN\n",
        );
        let bearer = header::HeaderValue::from_static("Bearer");
        refused.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        return refused;
    }
    service.handle(request).await
}

/// Whether the request carries the token. Digests are compared, so that the time it takes tells
/// nothing about the token.
fn knows<B>(request: &Request<B>, token: &[u8; 32]) -> bool {
    let mut given = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return false };
    let Some((scheme, given)) = only.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return false;
    };
    let digest: [u8; 32] = Sha256::digest(given.trim()).into();
    scheme.eq_ignore_ascii_case("bearer") && digest == *token
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *response.status_mut() = status;
    response
}
