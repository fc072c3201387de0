/**
 * Rows between JavaScript and a Beamlet handler, a WebAssembly component that `jco transpile` has
 * made a module of.
 *
 *     const { enrichmentHandler, enrichmentJson } = await import('./tecton/tecton.js');
 *     enrich(enrichmentJson, config, rows);              // rows and features as JSON, one call
 *
 *     const configured = setUp(enrichmentHandler, config);   // rows and features as typed columns
 *     const bundle = configured.bundle();
 *     const answers = [...bundle.process(rows), ...bundle.finish()];
 *
 * Copy this file. Calls block their thread until the store has answered.
 */

/** A configuration has problems: each has a `path` (a JSON Pointer) and a `message`. */
export class ConfigurationError extends Error {
  constructor(problems) {
    super(problems.map(({ path, message }) => `${path || '/'}: ${message}`).join('\n'));
    this.problems = problems;
  }
}

/** A handler refused a whole bundle, or one row: `kind` is a word of the contract. */
export class HandlerError extends Error {
  constructor({ kind, message, retryable = false, httpStatus }) {
    super(`${kind}: ${message}`);
    Object.assign(this, { kind, retryable, httpStatus });
  }
}

/** Rows, objects, with their features: `rows`, `missing`, `null_keys` and `failures`. */
export function enrich(enrichmentJson, config, rows) {
  try {
    return JSON.parse(enrichmentJson.enrich(JSON.stringify(config), JSON.stringify(rows)));
  } catch (error) {
    const { problems, error: refused } = JSON.parse(payload(error));
    if (problems) throw new ConfigurationError(problems);
    throw new HandlerError({ ...refused, httpStatus: refused.http_status });
  }
}

/** A configured handler: one bundle at a time. */
export function setUp(enrichmentHandler, config) {
  let handler;
  try {
    handler = enrichmentHandler.Handler.setup(JSON.stringify(config));
  } catch (error) {
    throw new ConfigurationError(payload(error));
  }
  const inputs = handler.inputs();
  return {
    /** The fields that it reads, and whether each has to be there. */
    inputs,
    /** Starts a bundle. */
    bundle: () => new Bundle(enrichmentHandler.Bundle, handler.startBundle(), inputs),
    /** Ends the handler. */
    tearDown: () => handler[Symbol.dispose ?? Symbol.for('dispose')]?.(),
  };
}

/**
 * Rows on their way. Answers come in the order of the rows, over all calls: `features`, by name,
 * and one of these, or none: `missing`, `nullKey`, `failure`, which is a `HandlerError`.
 */
class Bundle {
  #class;
  #bundle;
  #inputs;

  constructor(ofClass, bundle, inputs) {
    this.#class = ofClass;
    this.#bundle = bundle;
    this.#inputs = inputs;
  }

  /** Takes rows, objects; gives the answers that are there by now. */
  process(rows) {
    const columns = this.#inputs.map(({ name, required }) => {
      if (required && !rows.every((row) => Object.hasOwn(row, name))) {
        throw new HandlerError({ kind: 'invalid-input', message: `a row has no field "${name}"` });
      }
      return column(name, rows.map((row) => row[name] ?? null));
    });
    return answers(() => this.#bundle.process({ rows: rows.length, columns }));
  }

  /** Ends the bundle; gives the answers that are left. */
  finish() {
    return answers(() => this.#class.finish(this.#bundle));
  }
}

/** What the component threw; anything else, a trap among them, is thrown on. */
function payload(error) {
  if (error?.payload === undefined) throw error;
  return error.payload;
}

function column(name, given) {
  const nulls = Uint32Array.from([...given.keys()].filter((at) => given[at] === null));
  return { name, values: values(given), nulls };
}

/** Integers are int64s, other numbers float64s, whatever nests JSON. */
function values(given) {
  const all = (test) => given.every((value) => value === null || test(value));
  const isInteger = (value) => typeof value === 'bigint' || Number.isSafeInteger(value);
  const fill = (by) => given.map((value) => value ?? by);
  if (all((value) => typeof value === 'string')) return { tag: 'strings', val: texts(fill('')) };
  if (all((value) => typeof value === 'boolean')) return { tag: 'booleans', val: fill(false) };
  if (all(isInteger)) return { tag: 'int64s', val: BigInt64Array.from(fill(0), BigInt) };
  if (all((value) => typeof value === 'number')) {
    return { tag: 'float64s', val: Float64Array.from(fill(0)) };
  }
  return { tag: 'json', val: texts(given.map((value) => JSON.stringify(value))) };
}

/** Texts one behind the other, and where each ends in bytes. */
function texts(given) {
  let end = 0;
  const ends = Uint32Array.from(given, (text) => (end += Buffer.byteLength(text)));
  return { text: given.join(''), ends };
}

function split({ text, ends }) {
  const bytes = Buffer.from(text);
  return Array.from(ends, (end, at) => bytes.toString('utf8', at ? ends[at - 1] : 0, end));
}

/** A column as JavaScript has it: an int64 is a number where that is exact, else a bigint. */
function read({ values: { tag, val }, nulls }) {
  const none = new Set(nulls);
  const exact = (value) =>
    typeof value === 'bigint' && BigInt.asIntN(54, value) === value ? Number(value) : value;
  const plain = (value) => (ArrayBuffer.isView(value) ? Array.from(value, exact) : exact(value));
  const isText = ['strings', 'decimals', 'json'].includes(tag);
  const all = isText ? split(val) : Array.from(val, plain);
  return all.map((value, at) => {
    if (none.has(at)) return null;
    return tag === 'json' ? JSON.parse(value) : value;
  });
}

function handlerError({ kind, ...rest }) {
  return new HandlerError({ ...rest, kind: kind.tag === 'other' ? kind.val : kind.tag });
}

function answers(call) {
  let parts;
  try {
    parts = call();
  } catch (error) {
    throw handlerError(payload(error));
  }
  return parts.flatMap(({ fields, missing, nullKeys, failures }) => {
    const columns = fields.columns.map((it) => [it.name, read(it)]);
    const rows = Array.from({ length: fields.rows }, (_, at) => ({
      features: Object.fromEntries(columns.map(([name, all]) => [name, all[at]])),
    }));
    for (const at of missing) rows[at].missing = true;
    for (const at of nullKeys) rows[at].nullKey = true;
    for (const { row, error } of failures) rows[row].failure = handlerError(error);
    return rows;
  });
}
