//! One request whose answer is read while its body is still being sent.
//!
//! Both sides would stop if all of the body had to be gone before any of the answer is read: the
//! service reads no more than it can answer. The client of the other commands cannot do both at
//! once, so this is hyper's.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::cli::Failure;

/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(10);

/// How long an answer may stand still: longer than a wash may wait for the log.
const STANDING: Duration = Duration::from_secs(120);

/// How much of an error's explanation is read.
const EXPLANATION: usize = 64 << 10;

/// Why a request did not come to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The connection broke, or the service asks to come back: the same may succeed in a moment.
    Broken(String),
    /// It makes no sense to try again.
    Failed(Failure),
}

/// Where to ask, and as whom.
pub(super) struct Service {
    /// The service's address, without a slash at its end.
    pub url: String,
    /// `Bearer` and the key.
    pub bearer: Zeroizing<String>,
}

/// An answer that is being read.
pub(super) struct Answer {
    body: Incoming,
    /// The wash's name.
    pub wash: Option<String>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Service {
    /// Sends what comes from `pieces` as the body of a request, and gives the answer once it
    /// begins.
    pub async fn post(
        &self,
        path: &str,
        media_type: &str,
        pieces: mpsc::Receiver<Bytes>,
    ) -> Result<Answer, Stop> {
        let broken = |why: String| Stop::Broken(format!("{}: {why}", self.url));
        let uri: Uri = format!("{}{path}", self.url)
            .parse()
            .map_err(|_| broken("the address cannot be used".to_owned()))?;
        let stream = tokio::time::timeout(CONNECTING, connect(&uri)).await;
        let stream = stream
            .map_err(|_| broken("no connection in time".to_owned()))?
            .map_err(broken)?;
        let body = stream::unfold(pieces, |mut pieces| async move {
            let piece = pieces.recv().await?;
            Some((
                Ok::<_, std::convert::Infallible>(Frame::data(piece)),
                pieces,
            ))
        });
        let request = Request::post(uri.path_and_query().map_or("/", |path| path.as_str()))
            .header("Host", uri.authority().map_or("", |host| host.as_str()))
            .header("User-Agent", concat!("metrust/", env!("CARGO_PKG_VERSION")))
            .header("Authorization", self.bearer.as_str())
            .header("Content-Type", media_type)
            .header("Accept", "*/*")
            .body(StreamBody::new(Box::pin(body)))
            .map_err(|_| broken("the request cannot be sent".to_owned()))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(error.to_string()))?;
        // It does the reading and the writing; whether it ended well the answer's body tells.
        #[expect(clippy::disallowed_methods, reason = "it ends with the connection")]
        tokio::spawn(connection);
        let response = tokio::time::timeout(STANDING, sender.send_request(request)).await;
        let response = response
            .map_err(|_| broken("no answer in time".to_owned()))?
            .map_err(|error| broken(error.to_string()))?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        let header = |name| response.headers().get(name)?.to_str().ok();
        let chunked = header("transfer-encoding")
            .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        let ours = header("content-type").is_some_and(|value| value.starts_with(media_type));
        if !ours || !(chunked || header("content-length").is_some()) {
            return Err(Stop::Failed(Failure::new(
                "what answers is not metrust\n  remedy:     look whether the address is right, and \
                 whether a proxy in between answers in its place",
            )));
        }
        Ok(Answer {
            wash: header("wash-id").map(str::to_owned),
            body: response.into_body(),
        })
    }
}

impl Answer {
    /// The next piece; nothing at the end, which is there only if nothing is missing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        loop {
            let frame = tokio::time::timeout(STANDING, self.body.frame()).await;
            let frame = frame.map_err(|_| Stop::Broken("the answer stands still".to_owned()))?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(Stop::Broken(error.to_string())),
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }
}

/// What the service says when it does not wash.
async fn refused(response: Response<Incoming>) -> Stop {
    let status = response.status().as_u16();
    let request_id = response.headers().get("request-id");
    let request_id = request_id
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let mut body = response.into_body();
    let mut text = Vec::new();
    while text.len() < EXPLANATION
        && let Ok(Some(Ok(frame))) = tokio::time::timeout(CONNECTING, body.frame()).await
    {
        text.extend_from_slice(frame.data_ref().map_or(b"", |piece| piece));
    }
    let failure = Failure::of_answer(status, request_id.as_deref(), &text);
    match failure.may_pass() {
        true => Stop::Broken(failure.to_string()),
        false => Stop::Failed(failure),
    }
}

async fn connect(uri: &Uri) -> Result<Box<dyn Stream>, String> {
    let secure = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(|error| error.to_string())?;
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    if !secure {
        return Ok(Box::new(stream));
    }
    let roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Box::new(stream))
}
