// Prints what netscope's own analyzer counts for prototxt files, one JSON object a line.
// usage: NETSCOPE=folder node run_netscope.js FILE...
// where the folder is a checkout of dgschwend/netscope with `npm install coffeescript@1 lodash@4` done in it.
'use strict';
const fs = require('fs');
const path = require('path');

const folder = path.resolve(process.env.NETSCOPE);
const from = (name) => require(require.resolve(name, { paths: [folder] }));
from('coffeescript/register');
global._ = from('lodash');
global.$ = { inArray: (item, list) => list.indexOf(item) };
global.window = global;
global.do_variants_analysis = false;
const complaints = [];
global.onerror = (message) => complaints.push(String(message));
console.log = () => {};

const parser = require(path.join(folder, 'src/caffe/caffe.coffee'));
for (const file of process.argv.slice(2)) {
  complaints.length = 0;
  const net = parser.parse(fs.readFileSync(file, 'utf8'), 'test');
  const rows = net.sortTopologically().map((node) => ({
    name: node.name, type: node.type, macc: node.analysis.comp.macc, params: node.analysis.mem.param,
  }));
  process.stdout.write(JSON.stringify({ file: path.basename(file), rows, complaints }) + '\n');
}
