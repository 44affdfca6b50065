// node assemble.js ROOT NEW PACKS: moves what tools/packs/fetch has fetched into NEW to PACKS, under the names of
// packs.txt, and writes PACKS/packs.json. What NEW lacks but PACKS has from an earlier run stays. Exit 1: some are
// missing. Each file is renamed into place, so that a weir that reads PACKS sees the old one or the new one.
'use strict';
const fs = require('fs');
const path = require('path');
const [root, fresh, packs] = process.argv.slice(2);

const read = (file) => fs.readFileSync(file, 'utf8');
const rows = read(path.join(root, 'tools/packs/packs.txt'))
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => {
    const [file, origin, source, licence, date, credit] = line.split(/ {2,}/);
    return { file, origin, source, licence, date, credit };
  });

function locate(origin) {
  if (origin === 'tree') return { folder: root, name: 'weir', version: '' };
  const [kind, name] = [origin.slice(0, origin.indexOf(':')), origin.slice(origin.indexOf(':') + 1)];
  if (kind === 'unpack') {
    const folder = path.join(fresh, name);
    return { folder, name: `${name} (Debian)`, version: () => read(path.join(folder, 'version')).trim() };
  }
  for (const group of ['rules', 'places']) {
    const folder = path.join(fresh, group, 'node_modules', name);
    if (fs.existsSync(folder))
      return { folder, name: `${name} (npm)`, version: () => JSON.parse(read(path.join(folder, 'package.json'))).version };
  }
  return { folder: path.join(fresh, 'missing'), name, version: '' };
}

// A copy for what stays in the tree or is needed twice, else a rename: the city files are large.
function place(from, to, keep) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  if (keep) {
    fs.copyFileSync(from, `${to}.new`);
    fs.renameSync(`${to}.new`, to);
  } else {
    fs.renameSync(from, to);
  }
}

let known = [];
try {
  known = JSON.parse(read(path.join(packs, 'packs.json'))).packs;
} catch (error) {
  // The first time.
}
const listed = [];
let missing = 0;
for (const row of rows) {
  const { folder, name, version } = locate(row.origin);
  const from = path.join(folder, row.source);
  if (!fs.existsSync(from)) {
    const before = known.find((entry) => entry.file === row.file);
    if (before && fs.existsSync(path.join(packs, row.file))) listed.push(before);
    console.error(`weir: warning: the data pack ${row.file} (${row.origin}) is missing${before ? '; the earlier one stays' : ''}`);
    missing += 1;
    continue;
  }
  const [licence, text] = row.licence.split(':');
  const entry = { file: row.file, source: name, version: typeof version === 'function' ? version() : version, licence, credit: row.credit };
  if (row.date !== '-') entry.date = row.date;
  if (text) {
    entry.licence_file = `licences/${name.replace(/ .*/, '').replace(/.*\//, '')}`;
    place(path.join(folder, text), path.join(packs, entry.licence_file), true);
  }
  place(from, path.join(packs, row.file), row.origin === 'tree');
  listed.push(entry);
}
fs.writeFileSync(path.join(packs, 'packs.json.new'), `${JSON.stringify({ packs: listed }, null, 1)}\n`);
fs.renameSync(path.join(packs, 'packs.json.new'), path.join(packs, 'packs.json'));
process.exit(missing ? 1 : 0);
