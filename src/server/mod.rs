//! Puts the service on a port, and takes it off again without losing a request.

mod front;
mod getting_started;

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{IntoServiceFactory, Service as _, ServiceFactory, ServiceFactoryExt};
use actix_service::{fn_factory, fn_service, map_config};
use actix_web::dev::{AppConfig, Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::api::{self, Shared};
use crate::service::{Checker, Service, StartError, keys};
use crate::settings::Settings;
use crate::web::{Desk, Writer};
use crate::{telemetry, web as pages};
use front::Front;
use getting_started::Demo;

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The logs cannot begin.
    #[error("{0}")]
    Logging(String),
    /// The service cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address cannot be used.
    #[error("cannot listen on {address}: {error}. Choose another address with --bind or http.bind")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// Something with the system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// How often memory of quiet addresses is given back.
const SWEEP: Duration = Duration::from_secs(60);

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4096;

/// How long an idle connection is kept: dialplans and load balancers come back within that.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Runs the service until it is told to stop (SIGTERM, SIGINT); then finishes what it took on and
/// closes the store.
///
/// # Errors
/// [`ServeError`], each with its remedy.
pub fn serve(settings: Settings, data: PathBuf) -> Result<(), ServeError> {
    telemetry::begin_logging(&settings.log).map_err(ServeError::Logging)?;
    // Two providers may be compiled in; rustls wants to be told which one to use. It is an error
    // only if somebody did so before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    actix_web::rt::System::new().block_on(run(settings, data))
}

async fn run(settings: Settings, data: PathBuf) -> Result<(), ServeError> {
    // Before anything is promised: whoever sees the address may tell us to stop.
    let signals = Signals::listen()?;
    // And before anything is made: a port that is taken must not cost a first start its text.
    let listener = bind(settings.http.bind)?;
    let (service, operator_key) = Service::start(&settings, &data).await?;
    service.spawn_keepers();
    // A folder that has had a first start before is not greeted again.
    let greeted = getting_started::file(&data).exists();
    let demo = match settings.demo.enabled && service.is_untouched() && !greeted {
        true => Some(getting_started::make(&service).await?),
        false => None,
    };
    let shared = web::Data::new(Shared::new(service.clone(), settings, data.clone()));
    let desk = web::Data::new(Desk::new(&shared.settings, |purpose| {
        service.derive(purpose)
    }));
    let writer = Writer::new(&desk, pages::follow_up_days(&shared));
    service.spawn_letters(move |letter| writer.write(letter));
    let (server, address) = listen(&shared, desk, listener)?;
    // From here on nothing may return before the server has been stopped.
    let address_file = data.join("address");
    let url = format!("http://{address}");
    announce(&url, &data, demo, operator_key.as_deref());
    // Commands on this machine find the service by it; without it they try the default port.
    let _ = std::fs::remove_file(&address_file);
    let _ = keys::write_secret(&address_file, format!("{url}\n").as_bytes());
    let swept = shared.clone();
    service.keep_running("limits", move |_| sweep(swept.clone()));
    let handle = server.handle();
    #[expect(clippy::disallowed_methods, reason = "it ends with the first signal")]
    let stop = tokio::spawn(signals.then_stop(handle, shared.clone()));
    let served = server.await;
    stop.abort();
    service.close().await;
    forget_address(&address_file, &url);
    served?;
    tracing::info!("everything taken on is on disk; the store is closed");
    Ok(())
}

/// Says where the service is, and what a first start made. A closed standard output is no reason
/// not to serve.
fn announce(url: &str, data: &Path, demo: Option<Demo>, operator_key: Option<&Path>) {
    let mut text = format!("metrust is listening on {url}\n");
    match (demo, operator_key) {
        (Some(demo), _) => {
            text.push('\n');
            text.push_str(&demo.keep(url, data));
        }
        (None, Some(path)) => {
            text.push_str(&format!("the operator's key is in {}\n", path.display()));
        }
        (None, None) => {}
    }
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .and_then(|listener| {
            // The standard library's queue of 128 connections is short for diallers that open one
            // a call.
            rustix::net::listen(&listener, BACKLOG)?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        })
        .map_err(|error| ServeError::Bind { address, error })
}

fn listen(
    shared: &web::Data<Shared>,
    desk: web::Data<Desk>,
    listener: TcpListener,
) -> Result<(Server, SocketAddr), ServeError> {
    let address = listener.local_addr()?;
    let http = &shared.settings.http;
    let workers = match http.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let shared = shared.clone();
    let server = Server::build()
        .workers(workers)
        .shutdown_timeout(http.drain_timeout_s)
        .disable_signals()
        .listen("metrust", listener, move || {
            let (shared, desk) = (shared.clone(), desk.clone());
            fn_factory(move || worker(shared.clone(), desk.clone()))
        })?;
    Ok((server.run(), address))
}

/// What one thread does with its connections.
async fn worker(
    shared: web::Data<Shared>,
    desk: web::Data<Desk>,
) -> Result<impl actix_service::Service<TcpStream, Response = (), Error = io::Error>, ()> {
    let checker = Checker::open(shared.service.clone()).map_err(|error| {
        tracing::error!(%error, "a thread cannot reach the store");
    })?;
    let checker = web::Data::new(checker);
    let app = App::new()
        .app_data(shared.clone())
        .app_data(checker.clone())
        .app_data(desk)
        .wrap(from_fn(api::layer))
        .configure(api::routes);
    let app = if shared.settings.web.enabled {
        app.configure(pages::routes)
    } else {
        app
    };
    let (to_stop, http) = (shared.clone(), &shared.settings.http);
    let whole = HttpService::build()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(Duration::from_millis(http.header_timeout_ms))
        .client_disconnect_timeout(Duration::from_secs(1))
        .graceful_shutdown_signal(move || {
            let shared = to_stop.clone();
            async move { shared.stopping.notified().await }
        })
        .h1(map_config(
            app.into_factory()
                .map_err(|error: actix_web::Error| error.error_response()),
            |()| AppConfig::default(),
        ))
        .new_service(())
        .await?;
    let front = Rc::new(Front::new(shared, checker, KEEP_ALIVE));
    let whole = Rc::new(whole);
    Ok(fn_service(move |stream: TcpStream| {
        let (front, whole) = (front.clone(), whole.clone());
        async move {
            if let Some(other) = front.serve(stream).await? {
                let peer = other.peer();
                // Whatever goes wrong with one connection was told to its client, or cannot be.
                let _ = whole.call((other, peer)).await;
            }
            Ok(())
        }
    }))
}

/// The signals to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for either. From then on each connection is closed after its next answer, and
    /// `/readyz` tells load balancers to send no more.
    async fn then_stop(mut self, handle: ServerHandle, shared: web::Data<Shared>) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("told to stop; finishing what was taken on");
        shared.draining.store(true, Ordering::Relaxed);
        shared.stopping.notify_waiters();
        handle.stop(true).await;
    }
}

async fn sweep(shared: web::Data<Shared>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        shared.limits.sweep();
    }
}

/// Removes the address file, unless another process has put its own there.
fn forget_address(file: &Path, url: &str) {
    if std::fs::read_to_string(file).is_ok_and(|text| text.trim() == url) {
        let _ = std::fs::remove_file(file);
    }
}
