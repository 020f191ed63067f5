/**
 * What the linter minds in the modules of the page and in their tests: `npm run lint`.
 */

import js from "@eslint/js";
import globals from "globals";

/** What a write to the state looks like, from which `model/store.js` alone is free. */
const STATE = ':matches([name="state"], [property.name="state"])';
const WRITES = [
  `AssignmentExpression > MemberExpression.left:has(> ${STATE}.object)`,
  `AssignmentExpression > MemberExpression.left > MemberExpression.object:has(> ${STATE}.object)`,
  `UpdateExpression > MemberExpression.argument:has(> ${STATE}.object)`,
  `UnaryExpression[operator="delete"] > MemberExpression.argument:has(> ${STATE}.object)`,
  `CallExpression[callee.object.name="Object"][callee.property.name="assign"] > ${STATE}.arguments:first-child`,
  `CallExpression[callee.property.name=/^(set|add|delete|clear|push|sort)$/] > .callee > MemberExpression.object:has(> ${STATE}.object)`,
];
const message = "The state is changed in model/store.js alone: call a method of the store.";

/** Modules are served without their comments by rjsmin, which reads a template within a template as plain code. */
const nested = {
  selector: "TemplateLiteral TemplateLiteral",
  message: "Give the inner text a name of its own: rjsmin, which takes the comments out, would take blanks out of it.",
};

/** What a person sees or hears stands in static/words/en.json. */
const literal = ":matches(Literal[value=/[A-Za-z]/], TemplateLiteral:has(TemplateElement[value.raw=/[A-Za-z]/]))";
const SAID = [
  `CallExpression[callee.name=/^(setText|setLabel)$/] > ${literal}.arguments:nth-child(2)`,
  `CallExpression[callee.property.name=/^(say|tell|warn|onTrouble)$/] > ${literal}.arguments:first-child`,
  `AssignmentExpression[left.property.name=/^(title|textContent|placeholder|alt|ariaLabel)$/] > ${literal}.right`,
  `NewExpression[callee.name="Error"] > ${literal}`,
  `NewExpression[callee.name="Refused"] > ${literal}.arguments:nth-child(2)`,
  "Literal[value=/[a-z,;:’'] [a-z]+ [a-z]/]:not(NewExpression *)",
  "TemplateElement[value.raw=/[a-z,;:’'}] [a-z]+ [a-z]/]:not(NewExpression *)",
].map((selector) => ({ selector, message: "Say it by a key of static/words/en.json: t(key, values)." }));

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: { ecmaVersion: 2024, sourceType: "module" },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "no-promise-executor-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  {
    files: ["static/js/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      complexity: ["error", { max: 20, variant: "modified" }],
      "max-len": ["error", { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true }],
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", 60],
      "no-shadow": "error",
    },
  },
  {
    files: ["static/js/**/*.js"],
    ignores: ["static/js/model/store.js"],
    rules: { "no-restricted-syntax": ["error", nested, ...SAID, ...WRITES.map((selector) => ({ selector, message }))] },
  },
  { files: ["static/js/model/store.js"], rules: { "no-restricted-syntax": ["error", nested, ...SAID] } },
  { files: ["tests/js/*.js"], languageOptions: { globals: globals.node } },
];
