// Verifies a bundle of metrust's audit log, without any of the software that wrote it: signatures,
// hashes and proofs are checked by the code of Go's own checksum database, golang.org/x/mod/sumdb.
//
//	go run verify.go BUNDLE_DIR [--key VKEY]... [--checkpoint FILE]... [--receipt FILE [--entry FILE]]...
//
// With Debian's packages golang-go and golang-golang-x-mod-dev it runs without a network:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run verify.go BUNDLE_DIR
//
// Elsewhere: go mod init verify && go get golang.org/x/mod && go run verify.go BUNDLE_DIR
//
// For every log in the bundle (a folder that holds `checkpoint` and `tile`):
//  1. the checkpoint is signed by the log's key (c2sp.org/signed-note, c2sp.org/tlog-checkpoint);
//  2. the root of the Merkle tree (RFC 6962), built again from the entries alone, is the one signed;
//  3. every hash tile says the same (c2sp.org/tlog-tiles);
//  4. every older checkpoint, kept in the bundle or given with --checkpoint, is signed, and is what
//     the first entries of this log give: nothing before it was changed, removed or put in;
//  5. every entry is JSON, and no writer's and no agency's sequence numbers have a gap.
//
// A receipt (c2sp.org/tlog-proof) must prove its entry, and the log must hold that entry there.
//
// --key names a key that you trust because you have it from elsewhere. Without it, the keys that lie
// in the bundle are used, and whoever made the bundle chose those.
// Exit status: 0 all holds; 1 something is wrong (a line beginning with WRONG for each); 2 usage.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var findings int

func wrong(where, format string, values ...interface{}) {
	fmt.Printf("WRONG: %s: %s\n", where, fmt.Sprintf(format, values...))
	if findings++; findings == 1000 {
		fmt.Println("WRONG: and more")
		os.Exit(1)
	}
}

func usage(why string) {
	fmt.Fprintln(os.Stderr, why+"\nusage: verify.go BUNDLE_DIR [--key VKEY]... [--checkpoint FILE]... [--receipt FILE [--entry FILE]]...")
	os.Exit(2)
}

// ----- signatures -----

// A checkpoint as its text says, and why its signature does not hold, if so.
type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
	fault  error
}

// openCheckpoint wants the signature of a key that is named like the origin; it ignores unknown keys.
func openCheckpoint(data []byte, keys []note.Verifier) (c checkpoint, err error) {
	end := bytes.LastIndex(data, []byte("\n\n"))
	lines := strings.Split(string(data[:end+1]), "\n")
	if end < 0 || len(lines) != 4 {
		return c, fmt.Errorf("it is not a checkpoint")
	}
	c.origin = lines[0]
	if c.size, err = number(lines[1]); err != nil {
		return c, err
	}
	if c.root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, err
	}
	var named []note.Verifier
	for _, key := range keys {
		if key.Name() == c.origin {
			named = append(named, key)
		}
	}
	_, c.fault = note.Open(data, note.VerifierList(named...))
	return c, nil
}

func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return n, nil
}

// ----- one log -----

type log struct {
	folder, name string
	checkpoint
	from, to     int64            // the entries that are in the bundle
	stored       []tlog.Hash      // the tree, in the order of tlog.StoredHashIndex
	leaves       []tlog.Hash      // the hash of every entry
	last         map[string]int64 // the last sequence number of each writer and agency
	inside, held []int64          // sizes of the checkpoints that were confirmed
}

// ReadHashes gives the tree to package tlog.
func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = l.stored[index]
	}
	return hashes, nil
}

func (l *log) rootAt(size int64) tlog.Hash {
	if size == 0 {
		return sha256.Sum256(nil)
	}
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		panic(err)
	}
	return root
}

// tile reads a tile. Where the log has grown since, the full one begins with what the partial one held.
func (l *log) tile(t tlog.Tile) []byte {
	for _, width := range []int{t.W, 256} {
		t.W = width
		path := strings.Replace(strings.Replace(t.Path(), "tile/8/", "tile/", 1), "/data/", "/entries/", 1)
		data, err := os.ReadFile(filepath.Join(l.folder, path))
		if err == nil && t.L >= 0 && len(data) != 32*width {
			wrong(l.name, "%s has a wrong length", path)
			return nil
		}
		if err == nil || width == 256 {
			if err != nil {
				wrong(l.name, "%s is missing", path)
			}
			return data
		}
	}
	return nil
}

// entries reads a bundle of entries: each has two bytes of length before it.
func (l *log) entries(n int64, width int) (entries [][]byte) {
	data := l.tile(tlog.Tile{H: 8, L: -1, N: n, W: width})
	if data == nil {
		return nil
	}
	whole := true
	for len(data) >= 2 && whole {
		end := 2 + int(binary.BigEndian.Uint16(data))
		if whole = end <= len(data); whole {
			entries, data = append(entries, data[2:end]), data[end:]
		}
	}
	if len(data) > 0 || len(entries) < width || len(entries) > width && len(entries) != 256 {
		wrong(l.name, "bundle %d of entries does not hold %d whole ones, but %d", n, width, len(entries))
	}
	if len(entries) > width {
		entries = entries[:width]
	}
	return entries
}

// build makes the tree from the entries; from the hash tiles only where the bundle has no entries.
func (l *log) build() {
	different := 0
	for start := int64(0); start < l.size; start += 256 {
		width := 256
		if l.size-start < 256 {
			width = int(l.size - start)
		}
		claimed := make([]tlog.Hash, width)
		data := l.tile(tlog.Tile{H: 8, L: 0, N: start / 256, W: width})
		for i := 0; i < width && len(data) > 0; i++ {
			copy(claimed[i][:], data[32*i:])
		}
		hashes := claimed
		if start < l.to && start+int64(width) > l.from {
			hashes = nil
			for i, entry := range l.entries(start/256, width) {
				l.checkEntry(start+int64(i), entry)
				hashes = append(hashes, tlog.RecordHash(entry))
			}
			first := 0
			for first < len(hashes) && hashes[first] == claimed[first] {
				first++
			}
			if first < width && len(data) > 0 {
				if different++; different == 1 {
					wrong(l.name, "entry %d is not the one that tile/0 was made of", start+int64(first))
				}
			}
			hashes = append(hashes, claimed[len(hashes):]...)
		}
		for _, hash := range hashes {
			stored, err := tlog.StoredHashesForRecordHash(int64(len(l.leaves)), hash, l)
			if err != nil {
				panic(err)
			}
			l.stored, l.leaves = append(l.stored, stored...), append(l.leaves, hash)
		}
	}
	if different > 1 {
		wrong(l.name, "%d later bundles of entries differ from tile/0 too", different-1)
	}
}

func (l *log) checkEntry(index int64, entry []byte) {
	var fields struct {
		Agency, Writer *string
		WriterSeq      *int64 `json:"writer_seq"`
		ClientSeq      *int64 `json:"client_seq"`
	}
	err := json.Unmarshal(entry, &fields)
	if err != nil || fields.Writer == nil || fields.WriterSeq == nil || fields.ClientSeq != nil && fields.Agency == nil {
		wrong(l.name, "entry %d is not an entry of an audit log", index)
		return
	}
	follow := func(who string, count int64) {
		if before, known := l.last[who]; known && count != before+1 {
			wrong(l.name, "entry %d has number %d of %s, after number %d", index, count, who, before)
		}
		l.last[who] = count
	}
	follow("writer "+*fields.Writer, *fields.WriterSeq)
	if fields.ClientSeq != nil {
		follow("agency "+*fields.Agency, *fields.ClientSeq)
	}
}

// checkTiles compares every tile above the leaves with the tree.
func (l *log) checkTiles() {
	for level := 1; l.size>>(8*level) > 0; level++ {
		count := l.size >> (8 * level)
		for n := int64(0); 256*n < count; n++ {
			t := tlog.Tile{H: 8, L: level, N: n, W: 256}
			if count-256*n < 256 {
				t.W = int(count - 256*n)
			}
			made, err := tlog.ReadTileData(t, l)
			if err != nil {
				panic(err)
			}
			claimed := l.tile(t)
			for i := 0; i+32 <= len(claimed) && i < len(made); i += 32 {
				if !bytes.Equal(made[i:i+32], claimed[i:i+32]) {
					first := (256*n + int64(i)/32) << (8 * level)
					wrong(l.name, "entries %d to %d are not those that tile/%d was made of", first, first+1<<(8*level)-1, level)
					break
				}
			}
		}
	}
}

// checkCheckpoint compares an older checkpoint, or the log's own, with the tree.
func (l *log) checkCheckpoint(data []byte, label string, ours *[]int64) bool {
	c, err := openCheckpoint(data, keys)
	switch {
	case err != nil:
		wrong(l.name, "%s: %v", label, err)
	case c.origin != l.origin:
		wrong(l.name, "%s: it is of another log, %s", label, c.origin)
	case c.fault != nil:
		wrong(l.name, "%s: %v", label, c.fault)
	case c.size > l.size:
		wrong(l.name, "%s: history is shorter than a checkpoint you hold: %d entries, not %d", label, l.size, c.size)
	case l.rootAt(c.size) != c.root:
		// What the bundle brings along may be forged too: only what you hold narrows what you hold.
		good := int64(0)
		for _, size := range *ours {
			if size < c.size && size > good {
				good = size
			}
		}
		wrong(l.name, "%s: the first %d entries do not give the root that was signed; the first wrong entry is one of %d to %d",
			label, c.size, good, c.size-1)
	default:
		*ours = append(*ours, c.size)
		return true
	}
	return false
}

// checkReceipt checks a tlog-proof: against its own checkpoint, and that checkpoint against the log.
func (l *log) checkReceipt(c checkpoint, head string, entry []byte) error {
	lines := strings.Split(head, "\n")
	if len(lines) > 1 && strings.HasPrefix(lines[1], "extra ") {
		lines = append(lines[:1], lines[2:]...)
	}
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return fmt.Errorf("it is not a receipt")
	}
	index, err := number(lines[1][6:])
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	if c.fault != nil {
		return c.fault
	}
	if index >= c.size || index >= l.size {
		return fmt.Errorf("its entry %d lies beyond the end: its checkpoint has %d entries, the log %d", index, c.size, l.size)
	}
	leaf := l.leaves[index]
	if entry != nil {
		leaf = tlog.RecordHash(entry)
	}
	if tlog.CheckRecord(proof, c.size, c.root, index, leaf) != nil {
		return fmt.Errorf("it does not prove this entry %d", index)
	}
	if l.leaves[index] != leaf {
		return fmt.Errorf("entry %d of the log is another one", index)
	}
	if c.size <= l.size && l.rootAt(c.size) != c.root {
		return fmt.Errorf("the first %d entries do not give the root of its checkpoint", c.size)
	}
	fmt.Printf("%s: receipt confirmed for entry %d\n", l.name, index)
	return nil
}

// openLog verifies one log folder. The manifest may say that only some of its entries are there.
func openLog(folder, name string, manifest map[string]struct{ From, To int64 }) *log {
	own, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		wrong(name, "its checkpoint is missing")
		return nil
	}
	l := &log{folder: folder, name: name, last: map[string]int64{}}
	if l.checkpoint, err = openCheckpoint(own, keys); err != nil {
		wrong(name, "its checkpoint: %v", err)
		return nil
	}
	if l.origin[strings.LastIndex(l.origin, "/")+1:] != name {
		wrong(name, "its checkpoint is of another log, %s", l.origin)
	}
	if _, err := os.Stat(filepath.Join(folder, "tile", "entries")); err == nil {
		l.to = l.size
		if part, known := manifest[name]; known {
			l.from, l.to = part.From, part.To
		}
		if l.to > l.size {
			l.to = l.size
		}
	}
	l.build()
	l.checkTiles()
	kept, _ := filepath.Glob(filepath.Join(folder, "checkpoints", "*"))
	sort.Slice(kept, func(a, b int) bool {
		return len(kept[a]) < len(kept[b]) || len(kept[a]) == len(kept[b]) && kept[a] < kept[b]
	})
	for _, file := range kept {
		data, err := os.ReadFile(file)
		base := filepath.Base(file)
		if c, _ := openCheckpoint(data, nil); err != nil || base != strconv.FormatInt(c.size, 10) {
			wrong(name, "checkpoints/%s is another checkpoint than its name says", base)
		} else {
			l.checkCheckpoint(data, "checkpoints/"+base, &l.inside)
		}
	}
	older := len(l.inside)
	l.checkCheckpoint(own, "checkpoint", &l.inside)
	fmt.Printf("%s: %d entries, root %v, %d older checkpoints confirmed\n", name, l.size, l.root, older)
	if l.size > 0 && l.from == 0 && l.to == 0 {
		fmt.Printf("%s: ITS ENTRIES ARE NOT HERE: verified from the hash tiles alone, not by what was written\n", name)
	} else if l.from != 0 || l.to != l.size {
		fmt.Printf("%s: ONLY entries %d to %d are here and were read; of the others, only the hashes were verified\n",
			name, l.from, l.to-1)
	}
	return l
}

// ----- the command line -----

var keys []note.Verifier // those trusted

func addKey(vkey string) error {
	key, err := note.NewVerifier(strings.TrimSpace(vkey))
	for _, known := range keys {
		if err == nil && known.Name() == key.Name() && known.KeyHash() == key.KeyHash() {
			return nil
		}
	}
	if err == nil {
		keys = append(keys, key)
	}
	return err
}

func main() {
	type file struct {
		name        string
		data, entry []byte
	}
	var bundle string
	var held, receipts []file
	for arguments := os.Args[1:]; len(arguments) > 0; arguments = arguments[1:] {
		option := arguments[0]
		if !strings.HasPrefix(option, "-") && bundle == "" {
			bundle = option
			continue
		}
		if arguments = arguments[1:]; len(arguments) == 0 {
			usage(option + " cannot stand there")
		}
		value := arguments[0]
		if option == "--key" {
			if err := addKey(value); err != nil {
				usage("--key: " + err.Error())
			}
			continue
		}
		data, err := os.ReadFile(value)
		if err != nil {
			usage(err.Error())
		}
		switch {
		case option == "--checkpoint":
			held = append(held, file{name: value, data: data})
		case option == "--receipt":
			receipts = append(receipts, file{name: value, data: data})
		case option == "--entry" && len(receipts) > 0 && receipts[len(receipts)-1].entry == nil:
			receipts[len(receipts)-1].entry = bytes.TrimRight(data, "\n")
		default:
			usage(option + " cannot stand there")
		}
	}
	names, err := os.ReadDir(bundle)
	if err != nil {
		usage(err.Error())
	}
	if len(keys) == 0 {
		fmt.Println("WARNING: no --key given, so the keys in the bundle are used. Whoever wrote the bundle chose them:\n" +
			"WARNING: this shows that the bundle agrees with itself, not who wrote it.")
		vkeys, _ := os.ReadFile(filepath.Join(bundle, "vkeys"))
		for _, line := range strings.Fields(string(vkeys)) {
			if addKey(line) != nil {
				fmt.Printf("WARNING: a line of vkeys is not a key of a log and is left out: %.80q\n", line)
			}
		}
	}
	var manifest struct {
		Entries map[string]struct{ From, To int64 }
	}
	if data, err := os.ReadFile(filepath.Join(bundle, "manifest.json")); err == nil {
		if err := json.Unmarshal(data, &manifest); err != nil {
			wrong("manifest.json", "%v", err)
		}
	}
	logs := map[string]*log{}
	for _, name := range names {
		for _, part := range []string{"checkpoint", "checkpoints", "tile"} {
			if _, err := os.Stat(filepath.Join(bundle, name.Name(), part)); err != nil {
				continue
			}
			l := openLog(filepath.Join(bundle, name.Name()), name.Name(), manifest.Entries)
			if l != nil && logs[l.origin] != nil {
				wrong(l.name, "there are two logs of %s", l.origin)
			}
			if l != nil {
				logs[l.origin] = l
			}
			break
		}
	}
	sort.SliceStable(held, func(a, b int) bool {
		first, _ := openCheckpoint(held[a].data, nil)
		second, _ := openCheckpoint(held[b].data, nil)
		return first.size < second.size
	})
	for _, file := range held {
		if c, err := openCheckpoint(file.data, keys); err != nil {
			wrong(file.name, "%v", err)
		} else if l := logs[c.origin]; l == nil {
			wrong(file.name, "the bundle has no log of %s", c.origin)
		} else if l.checkCheckpoint(file.data, file.name, &l.held) {
			fmt.Printf("%s: %s confirmed: the first %d entries are as they were signed then\n", l.name, file.name, c.size)
		}
	}
	for _, file := range receipts {
		end := bytes.Index(file.data, []byte("\n\n"))
		if end < 0 {
			end = len(file.data) - 2
		}
		c, err := openCheckpoint(file.data[end+2:], keys)
		if err != nil {
			wrong(file.name, "%v", err)
		} else if l := logs[c.origin]; l == nil {
			wrong(file.name, "the bundle has no log of %s", c.origin)
		} else if err := l.checkReceipt(c, string(file.data[:end]), file.entry); err != nil {
			wrong(file.name, "%v", err)
		}
	}
	if len(logs) == 0 {
		wrong(bundle, "there is no log in it that can be read")
	}
	if findings > 0 {
		os.Exit(1)
	}
	fmt.Println("All of it holds.")
}
