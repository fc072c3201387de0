/**
 * Enriches rows from standard input, NDJSON, to standard output.
 *
 *     node enrich.js [--json] CONFIG.json < rows.ndjson
 */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConfigurationError, HandlerError, enrich, setUp } from './beamlet-handler.js';
import { enrichmentHandler, enrichmentJson } from './tecton/tecton.js';

/** How many rows a bundle holds: what is in memory at once. */
const BUNDLE = 1000;

async function* bundles(input) {
  let rows = [];
  for await (const line of createInterface({ input })) {
    rows.push(JSON.parse(line));
    if (rows.length === BUNDLE) {
      yield rows;
      rows = [];
    }
  }
  if (rows.length) yield rows;
}

/** Through `enrichment-handler`: set up once, then columns. */
async function* typed(config, input) {
  const handler = setUp(enrichmentHandler, config);
  for await (const rows of bundles(input)) {
    const bundle = handler.bundle();
    const answers = [...bundle.process(rows), ...bundle.finish()];
    for (const [at, { features, failure }] of answers.entries()) {
      if (failure) throw failure;
      // The row's own fields first, and the features behind them; its own values stay.
      yield { ...rows[at], ...features, ...rows[at] };
    }
  }
  handler.tearDown();
}

/** Through `enrichment-json`: a call for each bundle. */
async function* asJson(config, input) {
  for await (const rows of bundles(input)) {
    const answer = enrich(enrichmentJson, config, rows);
    for (const { error } of answer.failures) throw new HandlerError(error);
    yield* answer.rows;
  }
}

async function main() {
  const [isJson, file] =
    process.argv[2] === '--json' ? [true, process.argv[3]] : [false, process.argv[2]];
  if (!file) throw new Error('usage: node enrich.js [--json] CONFIG.json < rows.ndjson');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  const rows = (isJson ? asJson : typed)(config, process.stdin);
  for await (const row of rows) console.log(JSON.stringify(row));
}

try {
  await main();
} catch (error) {
  if (error instanceof ConfigurationError) {
    console.error(`the configuration is not valid\n${error.message}`);
  } else if (error instanceof HandlerError) {
    console.error(`the rows could not be enriched: ${error.message}`);
  } else {
    console.error(error.message);
  }
  process.exitCode = 1;
}
