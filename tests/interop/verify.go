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
//  5. every entry is JSON, and no writer's and no agency's sequence numbers have a gap;
//  6. it holds nothing else: no file, no entry and no byte beyond what the checkpoint signs.
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
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// beside is what lies beside the logs: what every bundle has, and what its README says to put there.
var beside = []string{"README.md", "manifest.json", "openings.txt", "verify.go", "verify.py", "vkeys",
	"trusted.vkeys", "older.checkpoint", "receipt.tlog-proof", "receipt.json"}

var (
	keys     []note.Verifier // those trusted
	findings int
)

// say prints a line in which nothing steers the terminal: names come from files anybody may have written.
func say(format string, values ...interface{}) {
	fmt.Println(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, fmt.Sprintf(format, values...)))
}

func wrong(where, format string, values ...interface{}) {
	say("WRONG: %s: %s", where, fmt.Sprintf(format, values...))
	if findings++; findings == 1000 {
		fmt.Println("WRONG: and more")
		os.Exit(1)
	}
}

// A fault is what must hold and does not; attempt reports it and goes on.
type fault string

func must(holds bool, format string, values ...interface{}) {
	if !holds {
		panic(fault(fmt.Sprintf(format, values...)))
	}
}

func attempt(where string, do func()) {
	defer func() {
		if why := recover(); why != nil {
			wrong(where, "%s", string(why.(fault)))
		}
	}()
	do()
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
func openCheckpoint(data []byte) (c checkpoint) {
	lines := strings.Split(string(data[:bytes.LastIndex(data, []byte("\n\n"))+1]), "\n")
	must(len(lines) == 4, "it is not a checkpoint")
	c.origin, c.size, c.root = lines[0], number(lines[1]), hash(lines[2])
	var named []note.Verifier
	for _, key := range keys {
		if key.Name() == c.origin {
			named = append(named, key)
		}
	}
	_, c.fault = note.Open(data, note.VerifierList(named...))
	return c
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err == nil && n >= 0 && strconv.FormatInt(n, 10) == text, "%q is not a number", text)
	return n
}

func hash(text string) tlog.Hash {
	hash, err := tlog.ParseHash(text)
	must(err == nil, "%q is not a hash", text)
	return hash
}

// ----- one log -----

type log struct {
	folder, name string
	checkpoint
	from, to     int64               // the entries that are in the bundle
	stored       []tlog.Hash         // the tree, in the order of tlog.StoredHashIndex
	leaves       []tlog.Hash         // the hash of every entry
	last         map[string][2]int64 // the last sequence number of each writer and agency, and its entry
	loss         int64               // the last entry that says that the store lost entries
	inside, held []int64             // sizes of the checkpoints that were confirmed
	signedFor    map[string]bool     // the files that the checkpoint vouches for
}

// ReadHashes gives the tree to package tlog; it never fails.
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
	root, _ := tlog.TreeHash(size, l)
	return root
}

// pathOf is where a tile lies in a log that names its tiles as c2sp.org/tlog-tiles does.
func pathOf(t tlog.Tile) string {
	return strings.Replace(strings.Replace(t.Path(), "tile/8/", "tile/", 1), "/data/", "/entries/", 1)
}

// checkFiles finds what nobody signed: files of other names, and what is neither a file nor a folder.
func (l *log) checkFiles() {
	filepath.WalkDir(l.folder, func(path string, item fs.DirEntry, err error) error {
		if err != nil {
			wrong(l.name, "%v", err)
		} else if name, _ := filepath.Rel(l.folder, path); item.IsDir() {
			return nil
		} else if name = filepath.ToSlash(name); !l.signedFor[name] {
			wrong(l.name, "%s is no part of what was signed", name)
		} else if !item.Type().IsRegular() {
			wrong(l.name, "%s is not a plain file", name)
		}
		return nil
	})
}

// tile reads a tile of exactly this width.
func (l *log) tile(t tlog.Tile) []byte {
	path := pathOf(t)
	l.signedFor[path] = true
	data, err := os.ReadFile(filepath.Join(l.folder, path))
	if err != nil {
		wrong(l.name, "%s is missing", path)
		return nil
	}
	if t.L >= 0 && len(data) != 32*t.W {
		wrong(l.name, "%s has %d bytes, which are not %d hashes", path, len(data), t.W)
		return nil
	}
	return data
}

// entries reads a bundle of entries: each has two bytes of length before it.
func (l *log) entries(n int64, width int) (entries [][]byte) {
	t := tlog.Tile{H: 8, L: -1, N: n, W: width}
	data := l.tile(t)
	for rest := data; len(rest) > 0; {
		end := len(rest) + 1
		if len(rest) >= 2 {
			end = 2 + int(binary.BigEndian.Uint16(rest))
		}
		if end > len(rest) {
			wrong(l.name, "%s breaks off in entry %d", pathOf(t), 256*n+int64(len(entries)))
			break
		}
		entries, rest = append(entries, rest[2:end]), rest[end:]
	}
	if data != nil && len(entries) != width {
		wrong(l.name, "%s does not hold %d whole entries and nothing else, but %d", pathOf(t), width, len(entries))
	}
	if len(entries) > width {
		return entries[:width]
	}
	return entries
}

// widthOf is how many of 256 hashes or entries there are in tile n, if there are `count` in all.
func widthOf(count, n int64) int {
	if count-256*n < 256 {
		return int(count - 256*n)
	}
	return 256
}

// build makes the tree from the entries; from the hash tiles only where the bundle has no entries.
func (l *log) build() {
	different := 0
	for n := int64(0); 256*n < l.size; n++ {
		width := widthOf(l.size, n)
		claimed := make([]tlog.Hash, width)
		data := l.tile(tlog.Tile{H: 8, L: 0, N: n, W: width})
		for i := 0; i < width && data != nil; i++ {
			copy(claimed[i][:], data[32*i:])
		}
		var hashes []tlog.Hash
		if 256*n < l.to && 256*n+int64(width) > l.from {
			same := 0
			for i, entry := range l.entries(n, width) {
				l.checkEntry(256*n+int64(i), entry)
				hashes = append(hashes, tlog.RecordHash(entry))
				if same == i && hashes[i] == claimed[i] {
					same++
				}
			}
			if same < width && data != nil {
				if different++; different == 1 {
					wrong(l.name, "entry %d is not the one that tile/0 was made of", 256*n+int64(same))
				}
			}
		}
		for _, hash := range append(hashes, claimed[len(hashes):]...) {
			stored, _ := tlog.StoredHashesForRecordHash(int64(len(l.leaves)), hash, l)
			l.stored, l.leaves = append(l.stored, stored...), append(l.leaves, hash)
		}
	}
	if different > 1 {
		wrong(l.name, "%d later bundles of entries differ from tile/0 too", different-1)
	}
}

// What an incident says where the store lost entries: counters go on from what it still knew.
const (
	lossAccepted = "the operator goes on without what the store lost: "
	lossFound    = "the store lost entries that it had acknowledged"
)

func (l *log) checkEntry(index int64, entry []byte) {
	var fields struct {
		Agency, Writer *string
		Op, Reason     string
		WriterSeq      *int64 `json:"writer_seq"`
		ClientSeq      *int64 `json:"client_seq"`
	}
	err := json.Unmarshal(entry, &fields)
	if err != nil || fields.Writer == nil || fields.WriterSeq == nil || (fields.ClientSeq != nil) != (fields.Agency != nil) {
		wrong(l.name, "entry %d is not an entry of an audit log", index)
		return
	}
	if fields.Op == "incident" && (strings.HasPrefix(fields.Reason, lossAccepted) || fields.Reason == lossFound) {
		l.loss = index
	}
	follow := func(who string, count int64) {
		last, known := l.last[who]
		switch {
		case !known || count == last[0]+1:
		case l.loss > last[1]:
			fmt.Printf("%s: entry %d has number %d of %s, after number %d: the store had lost entries, as entry %d says\n",
				l.name, index, count, who, last[0], l.loss)
		default:
			wrong(l.name, "entry %d has number %d of %s, after number %d", index, count, who, last[0])
		}
		l.last[who] = [2]int64{count, index}
	}
	follow("writer "+*fields.Writer, *fields.WriterSeq)
	if fields.ClientSeq != nil {
		follow("agency "+*fields.Agency, *fields.ClientSeq)
	}
}

// checkTiles compares every tile above the leaves with the tree.
func (l *log) checkTiles() {
	for level := 1; l.size>>(8*level) > 0; level++ {
		for n := int64(0); 256*n < l.size>>(8*level); n++ {
			t := tlog.Tile{H: 8, L: level, N: n, W: widthOf(l.size>>(8*level), n)}
			made, _ := tlog.ReadTileData(t, l)
			claimed := l.tile(t)
			for i := 0; claimed != nil && i < len(made); i += 32 {
				if !bytes.Equal(made[i:i+32], claimed[i:i+32]) {
					first := (256*n + int64(i)/32) << (8 * level)
					wrong(l.name, "entries %d to %d are not those that tile/%d was made of", first, first+1<<(8*level)-1, level)
					break
				}
			}
		}
	}
}

// checkCheckpoint compares an older checkpoint, or the log's own, with the tree. What the bundle
// brings along may be forged too: only what you hold, `good`, narrows what you hold.
func (l *log) checkCheckpoint(c checkpoint, good *[]int64) {
	must(c.origin == l.origin, "it is of another log, %s", c.origin)
	must(c.fault == nil, "%v", c.fault)
	must(c.size <= l.size, "history is shorter than a checkpoint you hold: %d entries, not %d", l.size, c.size)
	from := int64(0)
	for _, size := range *good {
		if size < c.size && size > from {
			from = size
		}
	}
	must(l.rootAt(c.size) == c.root, "the first %d entries do not give the root that was signed; "+
		"the first wrong entry is one of %d to %d", c.size, from, c.size-1)
	*good = append(*good, c.size)
}

// checkReceipt checks a tlog-proof: against its own checkpoint, and that checkpoint against the log.
func (l *log) checkReceipt(c checkpoint, lines []string, entry []byte) {
	if len(lines) > 1 && strings.HasPrefix(lines[1], "extra ") {
		lines = append(lines[:1], lines[2:]...)
	}
	must(len(lines) > 1 && lines[0] == "c2sp.org/tlog-proof@v1" && strings.HasPrefix(lines[1], "index "), "it is not a receipt")
	index := number(lines[1][6:])
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		proof = append(proof, hash(line))
	}
	must(c.fault == nil, "%v", c.fault)
	must(index < c.size && index < l.size, "its entry %d lies beyond the end: its checkpoint has %d entries, the log %d", index, c.size, l.size)
	leaf := l.leaves[index]
	if entry != nil {
		leaf = tlog.RecordHash(entry)
	}
	must(tlog.CheckRecord(proof, c.size, c.root, index, leaf) == nil, "it does not prove this entry %d", index)
	must(l.leaves[index] == leaf, "entry %d of the log is another one", index)
	must(c.size > l.size || l.rootAt(c.size) == c.root, "the first %d entries do not give the root of its checkpoint", c.size)
	say("%s: receipt confirmed for entry %d", l.name, index)
}

// openLog verifies one log folder. The manifest may say that only some of its entries are there.
func openLog(folder, name string, manifest map[string]struct{ From, To int64 }) *log {
	own, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	must(err == nil, "its checkpoint is missing")
	l := &log{folder: folder, name: name, last: map[string][2]int64{}, loss: -1, checkpoint: openCheckpoint(own)}
	l.signedFor = map[string]bool{"checkpoint": true}
	if l.origin[strings.LastIndex(l.origin, "/")+1:] != name {
		wrong(name, "its checkpoint is of another log, %s", l.origin)
	}
	if _, err := os.Stat(filepath.Join(folder, "tile", "entries")); err == nil {
		l.to = l.size
		if part, known := manifest[name]; known && part.To < l.size {
			l.to = part.To
		}
		l.from = manifest[name].From
		must(0 <= l.from && l.from <= l.to, "manifest.json names entries that cannot be")
	}
	l.build()
	l.checkTiles()
	kept, _ := os.ReadDir(filepath.Join(folder, "checkpoints"))
	sort.SliceStable(kept, func(a, b int) bool { return len(kept[a].Name()) < len(kept[b].Name()) })
	for _, file := range kept {
		l.signedFor["checkpoints/"+file.Name()] = true
		attempt(name+": checkpoints/"+file.Name(), func() {
			data, _ := os.ReadFile(filepath.Join(folder, "checkpoints", file.Name()))
			c := openCheckpoint(data)
			must(file.Name() == strconv.FormatInt(c.size, 10), "it is another checkpoint than its name says")
			l.checkCheckpoint(c, &l.inside)
		})
	}
	older := len(l.inside)
	attempt(name+": checkpoint", func() { l.checkCheckpoint(l.checkpoint, &l.inside) })
	l.checkFiles()
	say("%s: %d entries, root %v, %d older checkpoints confirmed", name, l.size, l.root, older)
	if l.size > 0 && l.from == 0 && l.to == 0 {
		say("%s: ITS ENTRIES ARE NOT HERE: verified from the hash tiles alone, not by what was written", name)
	} else if l.from != 0 || l.to != l.size {
		say("%s: ONLY entries %d to %d are here and were read; of the others, only the hashes were verified", name, l.from, l.to-1)
	}
	return l
}

// ----- the command line -----

func usage(why interface{}) {
	fmt.Fprintln(os.Stderr, why, "\nusage: verify.go BUNDLE_DIR [--key VKEY]... [--checkpoint FILE]... [--receipt FILE [--entry FILE]]...")
	os.Exit(2)
}

func addKey(vkey string) error {
	key, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return err
	}
	for _, known := range keys {
		if known.Name() == key.Name() && known.KeyHash() == key.KeyHash() {
			return nil
		}
	}
	keys = append(keys, key)
	return nil
}

// A file that was given on the command line, with the checkpoint in it.
type file struct {
	name        string
	data, entry []byte
	checkpoint
}

func main() {
	var bundle string
	var held, receipts []*file
	var given []os.FileInfo
	for arguments := os.Args[1:]; len(arguments) > 0; arguments = arguments[1:] {
		option := arguments[0]
		if !strings.HasPrefix(option, "-") && bundle == "" {
			bundle = option
			continue
		}
		if arguments = arguments[1:]; len(arguments) == 0 {
			usage(option + " cannot stand there")
		}
		if option == "--key" {
			if err := addKey(arguments[0]); err != nil {
				usage(err)
			}
			continue
		}
		data, err := os.ReadFile(arguments[0])
		if info, err := os.Stat(arguments[0]); err == nil {
			given = append(given, info)
		}
		switch {
		case err != nil:
			usage(err)
		case option == "--checkpoint":
			held = append(held, &file{name: arguments[0], data: data})
		case option == "--receipt":
			receipts = append(receipts, &file{name: arguments[0], data: data})
		case option == "--entry" && len(receipts) > 0 && receipts[len(receipts)-1].entry == nil:
			receipts[len(receipts)-1].entry = bytes.TrimRight(data, "\n")
		default:
			usage(option + " cannot stand there")
		}
	}
	folders, err := os.ReadDir(bundle)
	if err != nil {
		usage(err)
	}
	if len(keys) == 0 {
		fmt.Println("WARNING: no --key given, so the keys in the bundle are used. Whoever wrote the bundle chose them:\n" +
			"WARNING: this shows that the bundle agrees with itself, not who wrote it.")
		vkeys, _ := os.ReadFile(filepath.Join(bundle, "vkeys"))
		for _, line := range strings.Fields(string(vkeys)) {
			if addKey(line) != nil {
				say("WARNING: a line of vkeys is not a key of a log and is left out: %.80q", line)
			}
		}
	}
	var manifest struct {
		Entries map[string]struct{ From, To int64 }
	}
	if data, err := os.ReadFile(filepath.Join(bundle, "manifest.json")); err == nil && json.Unmarshal(data, &manifest) != nil {
		wrong(bundle, "its manifest.json cannot be read")
	}
	logs := map[string]*log{}
	for _, item := range folders {
		name, isLog := item.Name(), false
		for _, part := range []string{"checkpoint", "checkpoints", "tile"} {
			_, err := os.Stat(filepath.Join(bundle, name, part))
			isLog = isLog || err == nil
		}
		info, err := os.Stat(filepath.Join(bundle, name))
		known := isLog
		for _, usual := range beside {
			known = known || name == usual
		}
		for _, file := range given {
			known = known || err == nil && os.SameFile(info, file)
		}
		if !known || !item.IsDir() && !item.Type().IsRegular() {
			wrong(name, "it is no part of a bundle, and nothing that was signed vouches for it")
		}
		if isLog {
			attempt(name, func() {
				l := openLog(filepath.Join(bundle, name), name, manifest.Entries)
				must(logs[l.origin] == nil, "there are two logs of %s", l.origin)
				logs[l.origin] = l
			})
		}
	}
	for _, file := range held {
		attempt(file.name, func() {
			file.checkpoint = openCheckpoint(file.data)
			must(logs[file.origin] != nil, "the bundle has no log of %s", file.origin)
		})
	}
	sort.SliceStable(held, func(a, b int) bool { return held[a].size < held[b].size })
	for _, file := range held {
		if l := logs[file.origin]; l != nil {
			attempt(l.name+": "+file.name, func() {
				l.checkCheckpoint(file.checkpoint, &l.held)
				say("%s: %s confirmed: the first %d entries are as they were signed then", l.name, file.name, file.size)
			})
		}
	}
	for _, file := range receipts {
		attempt(file.name, func() {
			end := bytes.Index(file.data, []byte("\n\n"))
			must(end >= 0, "it is not a receipt")
			c := openCheckpoint(file.data[end+2:])
			must(logs[c.origin] != nil, "the bundle has no log of %s", c.origin)
			logs[c.origin].checkReceipt(c, strings.Split(string(file.data[:end]), "\n"), file.entry)
		})
	}
	if len(logs) == 0 {
		wrong(bundle, "there is no log in it that can be read")
	}
	if findings > 0 {
		os.Exit(1)
	}
	fmt.Println("All of it holds.")
}
