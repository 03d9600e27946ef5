// node textlint.js FOLDER: checks FOLDER/*.md. Prints [[file, line, rule, message], …].
const fs = require("node:fs");
const path = require("node:path");
const { TextlintKernel } = require("@textlint/kernel");
const markdown = require("@textlint/textlint-plugin-markdown").default;
const words = require("textlint-rule-prh").default;
const { unclosed, withMarkup } = require("./markup.js");
const sentenceWords = require("./sentence-words.js");

const WORD = {
  ruleId: "word",
  rule: words,
  options: {
    rulePaths: [path.join(__dirname, "words.yml")],
    checkLink: true,
    checkBlockQuote: true,
    checkEmphasis: true,
    checkHeader: true,
  },
};
const LONG = { ruleId: "long", rule: sentenceWords, options: { max: 25 } };
const UNCLOSED = { ruleId: "unreadable", rule: unclosed };

class Processor extends markdown.Processor {
  processor(extension) {
    const { preProcess, postProcess } = super.processor(extension);
    return { preProcess: (text, name) => withMarkup(preProcess(text, name), text), postProcess };
  }
}
const PLUGINS = [{ pluginId: "markdown", plugin: { Processor } }];

async function main(folder) {
  const kernel = new TextlintKernel();
  const found = [];
  for (const name of fs.readdirSync(folder).filter((file) => file.endsWith(".md"))) {
    const text = fs.readFileSync(path.join(folder, name), "utf8");
    const options = { ext: ".md", filePath: name, configBaseDir: __dirname, plugins: PLUGINS, rules: [WORD, LONG, UNCLOSED] };
    const { messages } = await kernel.lintText(text, options);
    found.push(...messages.map(({ line, ruleId, message }) => [name, line, ruleId, message]));
  }
  process.stdout.write(JSON.stringify(found));
}

main(process.argv[2]);
