//! What the log asks of the place where it lies: the same of a folder and of a bucket.

use metrust::log::storage::{Folder, Source, Storage};

use crate::harness::run_async;

const SOME: &[u8] = b"0123456789";

async fn put(storage: &Storage, path: &str) {
    let object = (path.to_owned(), SOME.into());
    storage.put(vec![object]).await.unwrap();
}

async fn listed(storage: &Storage, folder: &str) -> Vec<String> {
    let mut names = storage.list(folder).await.unwrap();
    names.sort_unstable();
    names
}

/// All of the contract, in one storage that is empty.
pub async fn keeps_the_contract(storage: &Storage) {
    what_is_not_there_is_no_failure(storage).await;
    an_object_is_created_once(storage).await;
    an_object_is_replaced(storage).await;
    parts_end_where_the_object_ends(storage).await;
    a_list_names_what_lies_directly_in_a_folder(storage).await;
    what_is_removed_is_gone_and_nothing_else(storage).await;
}

async fn what_is_not_there_is_no_failure(storage: &Storage) {
    assert_eq!(storage.get("no/such").await.unwrap(), None);
    for range in [0..5, 0..0, 7..9] {
        assert_eq!(storage.get_range("no/such", range).await.unwrap(), None);
    }
    assert!(storage.open("no/such").await.unwrap().is_none());
    assert!(!storage.exists("no/such").await.unwrap());
    assert!(listed(storage, "no").await.is_empty());
    storage.remove(vec!["no/such".to_owned()]).await.unwrap();
    storage.remove(Vec::new()).await.unwrap();
    storage.put(Vec::new()).await.unwrap();
    storage.remove_all("no").await.unwrap();
}

async fn an_object_is_created_once(storage: &Storage) {
    assert!(storage.create("once/a", SOME.to_vec()).await.unwrap());
    assert!(!storage.create("once/a", b"other".to_vec()).await.unwrap());
    assert_eq!(storage.get("once/a").await.unwrap().unwrap(), SOME);
    storage.settle("once/a").await.unwrap();
    assert!(storage.create("once/empty", Vec::new()).await.unwrap());
    assert!(!storage.create("once/empty", Vec::new()).await.unwrap());
    storage.remove(vec!["once/a".to_owned()]).await.unwrap();
    assert!(storage.create("once/a", b"again".to_vec()).await.unwrap());
}

async fn an_object_is_replaced(storage: &Storage) {
    put(storage, "replaced").await;
    let many = (0..100).map(|n| (format!("many/{n}"), n.to_string().into()));
    let many: Vec<_> = many
        .chain([("replaced".to_owned(), (&b"new"[..]).into())])
        .collect();
    storage.put(many).await.unwrap();
    let paths = ["many/7", "many/no", "replaced"].map(str::to_owned);
    let found = storage.get_all(paths.to_vec()).await.unwrap();
    assert_eq!(found, [Some(b"7".to_vec()), None, Some(b"new".to_vec())]);
    assert_eq!(storage.get("replaced").await.unwrap().unwrap(), b"new");
    assert_eq!(storage.get("many/42").await.unwrap().unwrap(), b"42");
    assert_eq!(listed(storage, "many").await.len(), 100);
}

async fn parts_end_where_the_object_ends(storage: &Storage) {
    put(storage, "parts/ten").await;
    storage.create("parts/empty", Vec::new()).await.unwrap();
    for (range, part) in [
        (0..10, SOME),
        (0..64 << 10, SOME),
        (2..5, b"234"),
        (9..10, b"9"),
        (9..99, b"9"),
        (10..11, b""),
        (50..60, b""),
        (3..3, b""),
    ] {
        let found = storage.get_range("parts/ten", range.clone()).await.unwrap();
        assert_eq!(found.unwrap(), part, "{range:?}");
    }
    for range in [0..0, 0..10, 5..10] {
        let found = storage
            .get_range("parts/empty", range.clone())
            .await
            .unwrap();
        assert_eq!(found.unwrap(), b"", "{range:?}");
    }
    assert_eq!(storage.get("parts/empty").await.unwrap().unwrap(), b"");
    assert!(storage.exists("parts/empty").await.unwrap());
    match storage.open("parts/ten").await.unwrap().unwrap() {
        Source::File(file) => assert_eq!(file.metadata().unwrap().len(), 10),
        Source::Memory(bytes) => assert_eq!(bytes, SOME),
    }
}

async fn a_list_names_what_lies_directly_in_a_folder(storage: &Storage) {
    for path in [
        "list/a",
        "list/b/c",
        "list/b/d/e",
        "list/000.p/7",
        "lister/x",
    ] {
        put(storage, path).await;
    }
    assert_eq!(listed(storage, "list").await, ["000.p", "a", "b"]);
    assert_eq!(listed(storage, "list/b").await, ["c", "d"]);
    assert_eq!(listed(storage, "list/000.p").await, ["7"]);
    assert!(listed(storage, "").await.contains(&"list".to_owned()));
}

async fn what_is_removed_is_gone_and_nothing_else(storage: &Storage) {
    for path in ["gone/a", "gone/b/c", "gone/b/d/e", "gone/b.p/1", "goner"] {
        put(storage, path).await;
    }
    storage.remove_all("gone/b").await.unwrap();
    assert!(!storage.exists("gone/b/c").await.unwrap());
    assert!(!storage.exists("gone/b/d/e").await.unwrap());
    assert_eq!(listed(storage, "gone").await, ["a", "b.p"]);
    storage.remove_all("gone").await.unwrap();
    assert!(listed(storage, "gone").await.is_empty());
    assert!(storage.exists("goner").await.unwrap());
    storage
        .remove(vec!["goner".to_owned(), "gone/a".to_owned()])
        .await
        .unwrap();
    assert!(!storage.exists("goner").await.unwrap());
}

#[test]
fn a_folder_keeps_the_contract_of_storages() {
    let folder = tempfile::tempdir().unwrap();
    run_async(async {
        let storage = Storage::Folder(Folder::open(folder.path().join("log")).unwrap());
        keeps_the_contract(&storage).await;
        of_many_who_create_one_succeeds(&storage).await;
    });
}

async fn of_many_who_create_one_succeeds(storage: &Storage) {
    let tries = (0..16).map(|n: u8| storage.create("race", vec![n]));
    let mut winners = Vec::new();
    for (n, created) in futures_util::future::join_all(tries)
        .await
        .into_iter()
        .enumerate()
    {
        if created.unwrap() {
            winners.push(n);
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    let kept = storage.get("race").await.unwrap().unwrap();
    assert_eq!(usize::from(kept[0]), winners[0]);
}
