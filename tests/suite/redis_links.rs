//! Ways to a Redis beyond a plain port: TLS, and replicas that must have an entry, too.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::harness::world::copy_tree;
use crate::harness::{Api, Launch, Redis, Service, eventually, number};

/// A Redis that also speaks TLS, with a certificate of an authority of its own.
#[test]
fn over_tls_only_a_redis_with_a_certificate_that_is_trusted_is_used() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    fs::write(path("ca.pem"), authority.pem()).unwrap();
    fs::write(path("redis.pem"), certificate.pem()).unwrap();
    fs::write(path("redis.key"), key.serialize_pem()).unwrap();
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port().to_string()
    };
    let _redis = Redis::with(&[
        ("tls-port", &port),
        ("tls-cert-file", &path("redis.pem")),
        ("tls-key-file", &path("redis.key")),
        ("tls-ca-cert-file", &path("ca.pem")),
        ("tls-auth-clients", "no"),
    ]);
    let url = format!("rediss://localhost:{port}");

    let stranger = Launch::on(&folder.path().join("stranger")).redis(&url);
    let refusal = stranger.refused();
    assert!(!refusal.stdout.contains("listening"), "{refusal:?}");

    let service = Launch::on(&folder.path().join("data"))
        .redis(&url)
        .set("STORE__REDIS__CA_CERTIFICATE", path("ca.pem"))
        .start();
    let operator = service.operator();
    operator.add_seller("telco");
    operator.add_agency("calls", &["telco"]);
    assert!(!operator.dialler_of("calls").suppresses(&number(1), "telco"));
}

/// `WAIT`: an entry counts when the replica has it, and not before.
#[test]
fn where_a_replica_is_required_nothing_is_answered_without_it() {
    let primary = Redis::durable();
    let port = primary.port().to_string();
    let replica = Redis::with(&[("replicaof", &format!("127.0.0.1 {port}"))]);
    eventually("the replica follows", || {
        primary
            .command(&["INFO", "replication"])
            .contains("state=online")
    });
    let folder = tempdir().unwrap();
    let service = Launch::on(&folder.path().join("data"))
        .redis(&primary.url())
        .set("STORE__REDIS__REPLICAS", "1")
        .with_real_timeout()
        .start();
    let operator = service.operator();
    operator.add_seller("telco");
    operator.add_agency("calls", &["telco"]);
    let dialler = operator.dialler_of("calls");
    assert!(!dialler.suppresses(&number(1), "telco"));
    replica.stop();
    dialler.check(&number(1), "telco").expect(503);
    replica.cont();
    eventually("the replica keeps up again", || {
        dialler.check(&number(1), "telco").status == 200
    });
}

/// A Redis with a replica that must have every entry, a service on it, and its dialler.
struct Followed {
    primary: Redis,
    replica: Redis,
    service: Service,
    dialler: Api,
    folder: TempDir,
}

impl Followed {
    fn start() -> Self {
        let primary = Redis::durable();
        let port = primary.port().to_string();
        let replica = Redis::with(&[("replicaof", &format!("127.0.0.1 {port}"))]);
        let folder = tempdir().unwrap();
        let service = Launch::on(&folder.path().join("data"))
            .redis(&primary.url())
            .set("STORE__REDIS__REPLICAS", "1")
            .start();
        let operator = service.operator();
        operator.add_seller("telco");
        operator.add_agency("calls", &["telco"]);
        let dialler = operator.dialler_of("calls");
        assert!(!dialler.suppresses(&number(1), "telco"));
        Self {
            primary,
            replica,
            service,
            dialler,
            folder,
        }
    }

    /// Nothing is answered for as long as this takes, and whoever runs it is told what it is.
    #[track_caller]
    fn assert_refuses_for_good(&self, said: &str) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            let dialler = self.dialler.on(&self.service.url());
            let answer = dialler.check(&number(1), "telco");
            assert_eq!(answer.status, 503, "{}", answer.text());
            // That is said of a store that is away.
            let text = answer.text();
            assert!(!text.contains("may or may not be recorded"), "{text}");
        }
        self.service.anonymous().get("/readyz").expect(503);
        let doctor = self.service.operator().get("/v1/admin/doctor");
        let log = self.service.log();
        assert!(
            log.contains(said) || doctor.text().contains(said),
            "{said} in {} and {log}",
            doctor.text()
        );
    }
}

#[test]
fn a_loss_is_no_absence_where_a_replica_is_required() {
    let mut world = Followed::start();
    let backup = world.folder.path().join("backup");
    world.replica.kill9();
    world.primary.kill9();
    copy_tree(&world.primary.folder().join("appendonlydir"), &backup);
    world.primary.restart();
    world.replica.restart();
    eventually("it answers again", || {
        world.dialler.check(&number(1), "telco").status == 200
    });
    world.dialler.register(&[&number(1)], json!("all"));
    assert!(world.dialler.suppresses(&number(1), "telco"));
    world.replica.kill9();
    world.primary.kill9();
    let files = world.primary.folder().join("appendonlydir");
    fs::remove_dir_all(&files).unwrap();
    copy_tree(&backup, &files);
    world.primary.restart();
    world.replica.restart();
    eventually("the replica follows", || {
        let said = world.primary.command(&["INFO", "replication"]);
        said.contains("state=online")
    });
    world.assert_refuses_for_good("lost entries");

    // What is known of it is in the store: it survives a restart, and is accepted on record.
    let launch = world.service.launch();
    world.service.restart();
    world.assert_refuses_for_good("lost entries");
    world.service.restart_as(&launch.argument("--accept-loss"));
    let dialler = world.dialler.on(&world.service.url());
    eventually("it goes on", || {
        dialler.check(&number(1), "telco").status == 200
    });
    // What was sealed and is lost is read anew; until then an export breaks off.
    let operator = world.service.operator();
    eventually("an export is whole", || {
        let answer = operator.attempt("GET", "/v1/audit/entries", &[], Vec::new());
        answer.is_ok_and(|answer| answer.status == 200)
    });
    let mut found = operator.entries(&[("op", "incident")]);
    found.retain(|entry| entry["reason"].to_string().contains("goes on without"));
    assert_eq!(found.len(), 1);
}

#[test]
fn an_emptied_store_is_no_absence_where_a_replica_is_required() {
    let world = Followed::start();
    assert_eq!(world.primary.command(&["FLUSHALL"]), "+OK");
    world.assert_refuses_for_good("is gone or another one");
}

#[test]
fn a_replica_is_not_written_to() {
    let primary = Redis::durable();
    let port = primary.port().to_string();
    let replica = Redis::with(&[("replicaof", &format!("127.0.0.1 {port}"))]);
    let folder = tempdir().unwrap();
    let refusal = Launch::on(&folder.path().join("data"))
        .redis(&replica.url())
        .refused();
    assert!(refusal.stderr.contains("replica"), "{refusal:?}");
}
