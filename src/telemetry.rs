//! Logs and figures. Neither ever holds a number, a key, a code or an address.

use std::cell::RefCell;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use actix_web::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;

use crate::domain::Answer;
use crate::privacy::random;
use crate::service::MailStatus;
use crate::service::record::LogStatus;
use crate::settings::{Log, LogFormat};

/// Begins logging to standard error.
///
/// # Errors
/// When the filter cannot be read, with the setting's name.
pub fn begin_logging(log: &Log) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(&log.filter).map_err(|error| format!("setting log.filter: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        // A log that nobody reads any more must not stop the service.
        .log_internal_errors(false);
    match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    }
    .map_err(|error| format!("logging cannot begin: {error}"))
}

/// Where one check is asked.
pub(crate) const CHECK: &str = "/v1/check";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    answer: &'static str,
}

/// From a tenth of a millisecond to a second: below is noise, above is a failure.
const SECONDS: [f64; 12] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
];

/// A name for one request, told to its client and written in the log: a random UUID.
#[must_use]
pub fn request_id() -> String {
    // Asking the system for each one would be a system call a request.
    thread_local! {
        static READY: RefCell<(Box<[u8; 4096]>, usize)> = RefCell::new((Box::new([0; 4096]), 4096));
    }
    let random = READY.with_borrow_mut(|(bytes, next)| {
        if *next == bytes.len() {
            (**bytes, *next) = (random(), 0);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[*next..*next + 16]);
        *next += 16;
        id
    });
    uuid::Builder::from_random_bytes(random)
        .into_uuid()
        .to_string()
}

/// The figures of `/metrics`.
#[derive(Debug)]
pub struct Meters {
    registry: Registry,
    check_seconds: Histogram,
    checks_done: Counter,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    answers: Family<AnswerLabels, Counter>,
    registrations: Counter<u64, AtomicU64>,
    withdrawals: Counter<u64, AtomicU64>,
    reports: Counter<u64, AtomicU64>,
    log_lag: Gauge<f64, AtomicU64>,
    log_unsealed: Gauge<u64, AtomicU64>,
    log_sealed: Gauge<u64, AtomicU64>,
    log_failing: Gauge<u64, AtomicU64>,
    mail: Mail,
}

/// The figures of the letters; all nought where there is no mail.
#[derive(Debug, Default)]
struct Mail {
    waiting: Gauge<u64, AtomicU64>,
    sent: Gauge<u64, AtomicU64>,
    given_up: Gauge<u64, AtomicU64>,
    failing: Gauge<u64, AtomicU64>,
}

impl Default for Meters {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let seconds = Family::<RouteLabels, Histogram, _>::new_with_constructor(histogram);
        let requests = Family::<RequestLabels, Counter>::default();
        let of_checks = RouteLabels {
            route: CHECK.to_owned(),
        };
        let mut meters = Self {
            registry: Registry::with_prefix("metrust"),
            check_seconds: seconds.get_or_create_owned(&of_checks),
            checks_done: requests.get_or_create_owned(&RequestLabels {
                route: CHECK.to_owned(),
                status: StatusCode::OK.as_u16(),
            }),
            requests,
            seconds,
            answers: Family::default(),
            registrations: Counter::default(),
            withdrawals: Counter::default(),
            reports: Counter::default(),
            log_lag: Gauge::default(),
            log_unsealed: Gauge::default(),
            log_sealed: Gauge::default(),
            log_failing: Gauge::default(),
            mail: Mail::default(),
        };
        let registry = &mut meters.registry;
        registry.register(
            "requests",
            "Requests by route and status",
            meters.requests.clone(),
        );
        registry.register(
            "request_seconds",
            "Time from the request's head to its answer",
            meters.seconds.clone(),
        );
        registry.register(
            "checks",
            "Numbers checked, by answer",
            meters.answers.clone(),
        );
        registry.register(
            "registrations",
            "Opt-outs registered",
            meters.registrations.clone(),
        );
        registry.register(
            "withdrawals",
            "Opt-outs withdrawn",
            meters.withdrawals.clone(),
        );
        registry.register(
            "reports",
            "Calls reported by people",
            meters.reports.clone(),
        );
        registry.register(
            "log_lag_seconds",
            "For how long audit entries may have been waiting to be sealed",
            meters.log_lag.clone(),
        );
        registry.register(
            "log_unsealed_bytes",
            "Audit entries that wait to be sealed, in bytes",
            meters.log_unsealed.clone(),
        );
        registry.register(
            "log_sealed_entries",
            "Audit entries that this process has sealed since its start",
            meters.log_sealed.clone(),
        );
        registry.register(
            "log_failing",
            "1 when entries cannot be sealed",
            meters.log_failing.clone(),
        );
        let mail = &meters.mail;
        for (name, help, gauge) in [
            (
                "mail_waiting_letters",
                "Letters in the store, those that are due later among them",
                &mail.waiting,
            ),
            (
                "mail_sent_letters",
                "Letters that this process has sent since its start",
                &mail.sent,
            ),
            (
                "mail_given_up_letters",
                "Letters that this process has given up since its start",
                &mail.given_up,
            ),
            (
                "mail_failing",
                "1 when the mail server takes nothing",
                &mail.failing,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        meters
    }
}

impl Meters {
    /// Counts a request.
    pub fn count_request(&self, route: &str, status: StatusCode, took: Duration) {
        let status = status.as_u16();
        let route = route.to_owned();
        self.seconds
            .get_or_create(&RouteLabels {
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        self.requests
            .get_or_create(&RequestLabels { route, status })
            .inc();
    }

    /// Counts a request for one check, as [`Meters::count_request`] does, without looking up the
    /// figure that nearly all of them belong to.
    pub fn count_check(&self, status: StatusCode, took: Duration) {
        if status == StatusCode::OK {
            self.check_seconds.observe(took.as_secs_f64());
            self.checks_done.inc();
        } else {
            self.count_request(CHECK, status, took);
        }
    }

    /// Counts an answer to a check.
    pub fn count_answer(&self, answer: Answer) {
        let answer = answer.as_str();
        self.answers.get_or_create(&AnswerLabels { answer }).inc();
    }

    /// Counts answers of one kind.
    pub fn count_answers(&self, answer: &'static str, number: u64) {
        if number > 0 {
            self.answers
                .get_or_create(&AnswerLabels { answer })
                .inc_by(number);
        }
    }

    /// Counts an opt-out.
    pub fn count_registration(&self) {
        self.registrations.inc();
    }

    /// Counts a call that was reported.
    pub fn count_report(&self) {
        self.reports.inc();
    }

    /// Counts an opt-out taken back.
    pub fn count_withdrawal(&self) {
        self.withdrawals.inc();
    }

    /// Shows how the log is.
    pub fn show_log(&self, log: &LogStatus) {
        self.log_lag.set(log.lag.as_secs_f64());
        self.log_unsealed.set(log.waiting);
        self.log_sealed.set(log.sealed);
        self.log_failing
            .set(u64::from(log.error.is_some() || log.is_full()));
    }

    /// Shows how mail is.
    pub fn show_mail(&self, mail: &MailStatus) {
        self.mail.waiting.set(mail.waiting);
        self.mail.sent.set(mail.sent);
        self.mail.given_up.set(mail.given_up);
        self.mail.failing.set(u64::from(mail.failing));
    }

    /// All of them, in the OpenMetrics text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing into memory does not fail; if it did, no figures are better than half of them.
            Err(_) => String::new(),
        }
    }
}
