//! Paths of tiles (C2SP tlog-tiles): a tile has one path and a path one tile; so has every number.

#![no_main]

use libfuzzer_sys::fuzz_target;
use metrust::log::Tile;
use metrust::log::tile::{extent, index_path, parse_index_path, place_of};

fuzz_target!(|data: &[u8]| {
    if let Ok(path) = std::str::from_utf8(data) {
        if let Some(tile) = Tile::parse(path) {
            assert_eq!(tile.path(), path);
            let (Tile::Hashes { width, .. } | Tile::Entries { width, .. }) = tile;
            assert!((1..=256).contains(&width));
        }
        if let Some(number) = parse_index_path(path) {
            assert_eq!(index_path(number), path);
        }
    }
    let Some((number, rest)) = data.split_first_chunk() else {
        return;
    };
    let number = u64::from_le_bytes(*number);
    assert_eq!(parse_index_path(&index_path(number)), Some(number));
    let [level, width, ..] = *rest else {
        return;
    };
    let width = u16::from(width) + 1;
    for tile in [
        Tile::Entries {
            index: number,
            width,
        },
        Tile::Hashes {
            level: level % 64,
            index: number,
            width,
        },
    ] {
        assert_eq!(Tile::parse(&tile.path()), Some(tile));
    }
    // Every full subtree of a tree lies in one of the tree's tiles.
    let level = level % 64;
    if let Some(index) = (number >> level).checked_sub(1) {
        let (tile_level, tile, range) = place_of(level, index);
        let (full, partial) = extent(tile_level, number);
        let there = if tile < full {
            256
        } else {
            usize::from(partial)
        };
        assert!(tile <= full && range.end <= there);
        assert_eq!(range.len(), 1 << (level % 8));
    }
});
