import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  alias: [
    '7:16 error[E-YAML-ALIAS] found the alias *nothing; write the value out: aliases hide from a reviewer what a document says',
  ],
  anchor: [
    '6:19 error[E-YAML-ANCHOR] found the anchor &which; leave it out: policies have no anchors and aliases, they hide from a reviewer what a document says',
    '16:12 error[E-YAML-ANCHOR] found the anchor &places; leave it out: policies have no anchors and aliases, they hide from a reviewer what a document says',
  ],
  'at-sign': ['5:25 error[E-YAML-PLAIN] a value without quotes cannot begin with @; put it in quotes'],
  'bad-escape': ['13:53 error[E-YAML-ESCAPE] \\d means nothing in double quotes; use single quotes, or write \\\\'],
  'block-mark-in-value': [
    '23:14 error[E-YAML-PLAIN] a value that begins with > needs quotes: here it begins a block of text',
  ],
  'colon-in-value': [
    '6:11 error[E-YAML-COLON] found a second ": " in one value; put the value in quotes, or begin a new line',
  ],
  'complex-key': ['5:5 error[E-YAML-KEY] a key must be a text, not a list or a mapping'],
  'dash-without-space': [
    '25:5 error[E-TYPE] `ladder` must be a list of rungs; found a mapping; a space is missing after the dash',
  ],
  directive: [
    '1:1 error[E-YAML-DIRECTIVE] found a YAML directive (%YAML or %TAG); leave it out, policies are YAML 1.2 without own tags',
  ],
  'duplicate-key': [
    '7:3 error[E-DUPLICATE-KEY] the key `defaultVariant` occurs twice here; keep one of them',
    '6:3 the first `defaultVariant`',
  ],
  'duplicate-kind': [
    '3:1 error[E-DUPLICATE-KEY] the key `kind` occurs twice here; keep one of them',
    '2:1 the first `kind`',
  ],
  'glued-documents': [
    '8:1 error[E-YAML-SEPARATOR] a second document begins here (`apiVersion` for the second time); put a line with --- before it',
    '1:1 the first `apiVersion`',
  ],
  'indentation-deeper': [
    '5:5 error[E-YAML-INDENT] wrong indentation: this line begins at column 5, unlike the keys or items that it seems to belong to',
  ],
  'indentation-list': [
    '24:4 error[E-YAML-INDENT] wrong indentation: this line begins at column 4, unlike the keys or items that it seems to belong to',
  ],
  indentation: [
    '5:2 error[E-YAML-INDENT] wrong indentation: this line begins at column 2, unlike the keys or items that it seems to belong to',
  ],
  'list-on-key-line': ['20:13 error[E-YAML-LIST] a list with dashes begins on a line of its own'],
  list: [
    '1:1 error[E-DOCUMENT] a policy is a mapping with apiVersion, kind, metadata and spec; found a list; separate several documents with --- instead of a list',
  ],
  'merge-conflict': [
    '8:1 error[E-MERGE-CONFLICT] found the mark of a merge conflict; resolve the conflict, then commit',
  ],
  'merge-key': [
    '5:3 error[E-YAML-MERGE] found a merge key <<; write the keys out: merging hides from a reviewer what a document says',
  ],
  'missing-colon': [
    '2:1 error[E-YAML-KEY] expected "key: value" here, found `kind Flag`; is a colon missing, or a quote?',
  ],
  'missing-space': ['2:1 error[E-YAML-KEY] a space is missing after `kind:`'],
  'no-break-space': [
    '3:10 error[E-TYPE] `metadata` is empty; expected a mapping',
    '4:1 error[E-UNKNOWN-KEY] unknown key "  name": it contains a non-breaking or invisible space; type it anew',
  ],
  'own-tag': ['5:13 error[E-YAML-TAG] found the tag !variants; leave it out: policies have no tags'],
  scalar: [
    '1:1 error[E-DOCUMENT] a policy is a mapping with apiVersion, kind, metadata and spec; found the text "just a note"',
  ],
  'tab-after-spaces': ['7:3 error[E-YAML-TAB] found a tab in the indentation; YAML allows only spaces there'],
  tab: ['4:1 error[E-YAML-TAB] found a tab in the indentation; YAML allows only spaces there'],
  tag: ['6:19 error[E-YAML-TAG] found the tag !!str; leave it out: policies have no tags'],
  'template-block': [
    "2:1 error[E-TEMPLATE] found {{: this is a template, not a policy; render it first. revertd's own variables are written ${host.NAME}",
  ],
  'template-in-quotes': [
    '3:19 error[E-NAME] "{{ name }}" cannot be a name (`name`): names are up to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit; is this a template that was not rendered?',
  ],
  template: [
    "4:9 error[E-TEMPLATE] found {{: this is a template, not a policy; render it first. revertd's own variables are written ${host.NAME}",
  ],
  'text-after-quote': [
    `22:20 error[E-YAML-QUOTE] found text after a closing quote; a quote within quotes is written \\" in double and '' in single ones`,
  ],
  'typographic-quotes': [
    '6:19 error[E-NAME] "“on”" cannot be a name (`defaultVariant`): names are up to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit; typographic quotes are no quotes to YAML: type " instead',
  ],
  'unclosed-brace': [
    '3:11 error[E-YAML-BRACKET] this { is not closed; add a } (a text that begins with { needs quotes)',
  ],
  'unclosed-bracket': [
    '5:7 error[E-YAML-BRACKET] this [ is not closed; add a ] (a text that begins with [ needs quotes)',
  ],
  'unclosed-quote-then-quote': ['4:9 error[E-YAML-QUOTE] this quote is not closed; add a " at its end'],
  'unclosed-quote': ['4:9 error[E-YAML-QUOTE] this quote is not closed; add a " at its end'],
  'unclosed-single-quote': [`3:19 error[E-YAML-QUOTE] this quote is not closed; add a ' at its end`],
};

describe('what is not YAML, or YAML that hides something', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('syntax')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('syntax', name)).toEqual({ refused: true, lines });
  });
});
