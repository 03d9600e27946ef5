// Renders mapping templates as API Gateway does: with velocityjs, and the variables that API Gateway defines.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
//
// Reads one JSON object a line from standard input: {template, body, path, querystring, header, context, stageVariables}.
// Writes one for each to standard output: {text, responseOverride} or {error}. An unknown variable, function or method is
// an error, so that no template is rendered in part.

import { Compile, parse } from 'velocityjs';

// java.net.URLEncoder in UTF-8: letters, digits and .-*_ stay, a space becomes +. encodeURIComponent leaves !~'() too.
const code = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

const util = {
  urlEncode: (text) => encodeURIComponent(textOnly(text, 'urlEncode')).replaceAll('%20', '+').replace(/[!~'()]/g, code),
};

/** AWS documents these for strings. With another type, Java finds no such method. */
function textOnly(value, name) {
  if (typeof value !== 'string') throw new Error(`${name} takes text, not ${typeof value} ${value}`);
  return value;
}

/** Throws for unknown names. Velocity would print them unchanged, and treat them as false. */
function strict(name, object) {
  const get = (target, property) => {
    if (typeof property === 'string' && !(property in target)) throw new Error(`${name} has no ${property}: add it`);
    return target[property];
  };
  return new Proxy(object, { get });
}

/** `$input`. Names of headers are case-sensitive. A missing value is empty. */
function input({ body, path = {}, querystring = {}, header = {} }) {
  return {
    body,
    params: (name) => {
      const part = [path, querystring, header].find((part) => Object.hasOwn(part, textOnly(name, 'params')));
      return part?.[name] ?? '';
    },
    path: (selected) => select(JSON.parse(body), selected),
  };
}

/** Only `$.name.name`. */
function select(document, path) {
  if (!/^\$(\.\w+)+$/.test(path)) throw new Error(`render.mjs does not know the JSONPath ${path}: add it`);
  const steps = path.split('.').slice(1);
  return steps.reduce((found, name) => (Object.hasOwn(found ?? {}, name) ? found[name] : undefined), document) ?? '';
}

// Values of templates are Java's strings. https://docs.oracle.com/javase/8/docs/api/java/lang/String.html
const STRING = {
  contains: (text, part) => text.includes(part),
  length: (text) => text.length,
  matches: (text, pattern) => new RegExp(`^(?:${pattern})$`).test(text),
  replaceAll: (text, pattern, replacement) => text.replace(new RegExp(pattern, 'g'), replacement),
  toLowerCase: (text) => text.toLowerCase(),
};

const stringMethods = {
  uid: 'java.lang.String',
  match: ({ context }) => typeof context === 'string',
  resolve: ({ property, context, params }) => {
    if (!Object.hasOwn(STRING, property)) throw new Error(`render.mjs does not know String.${property}: add it`);
    return STRING[property](context, ...params);
  },
};

function render({ template, context, stageVariables, ...request }) {
  const responseOverride = { header: {} };
  const variables = {
    input: strict('$input', input(request)),
    util: strict('$util', util),
    stageVariables: strict('$stageVariables', stageVariables),
    context: strict('$context', { ...context, responseOverride }),
  };
  const text = new Compile(parse(template), { customMethodHandlers: [stringMethods] }).render(variables);
  return { text, responseOverride };
}

function result(line) {
  try {
    return render(JSON.parse(line));
  } catch (error) {
    return { error: String(error) };
  }
}

// node:readline would also end a line at U+2028. A line may arrive in many chunks.
let begun = [];
for await (const chunk of process.stdin.setEncoding('utf8')) {
  const [end, ...lines] = chunk.split('\n');
  begun.push(end);
  for (const next of lines) {
    process.stdout.write(`${JSON.stringify(result(begun.join('')))}\n`);
    begun = [next];
  }
}
