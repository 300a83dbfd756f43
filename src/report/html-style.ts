/** The style of the HTML report: one column on a phone, plain on paper, light and dark. Colours keep a contrast of 4.5:1 on their background. */
export const htmlStyle = `
:root{color-scheme:light dark;--bg:#fff;--soft:#f3f5f7;--line:#c9d0d8;--text:#1b2430;--dim:#56616e;--link:#0b57a4;
--pass:#136b2e;--fail:#b3121d;--error:#8a2a8f;--unknown:#7a5200;--waived:#0b57a4;--none:#56616e;--add:#dcf3e1;--del:#fbe1e2}
@media (prefers-color-scheme:dark){:root{--bg:#14181d;--soft:#1e242b;--line:#3b4550;--text:#e4e9ee;--dim:#a5b0bb;--link:#8cc0f5;
--pass:#7bd08f;--fail:#ff9a9a;--error:#e3a3e8;--unknown:#e9bf62;--waived:#8cc0f5;--none:#a5b0bb;--add:#173a22;--del:#4a1d20}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:75rem;padding:1rem;background:var(--bg);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.25rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}h3{font-size:1.05rem;margin:1.5rem 0 .25rem}
a{color:var(--link)}.dim{color:var(--dim)}
.score{font-size:2.5rem;font-weight:700;line-height:1.2;margin:.5rem 0 0}
.counts{list-style:none;display:flex;flex-wrap:wrap;gap:.5rem;padding:0}
.counts li{border:1px solid var(--line);border-radius:.4rem;padding:.15rem .6rem;background:var(--soft)}
.bar{display:block;width:100%;height:.75rem;border-radius:.3rem}
.scroll{overflow-x:auto;margin:.75rem 0}.scroll:focus-visible{outline:2px solid var(--link)}
table{border-collapse:collapse;font-size:.9rem;overflow-wrap:break-word}
th,td{border:1px solid var(--line);padding:.2rem .45rem;text-align:left;vertical-align:top}
thead th{background:var(--soft);position:sticky;top:0}th{max-width:18rem}th[scope=row]{font-weight:500;min-width:8rem}
td.cell{text-align:center;white-space:nowrap}td.cell a{text-decoration:none;display:block}
.v-pass,.v-pass a{color:var(--pass)}.v-fail,.v-fail a{color:var(--fail);font-weight:700}.v-error,.v-error a{color:var(--error);font-weight:700}
.v-unknown,.v-unknown a{color:var(--unknown)}.v-waived,.v-waived a{color:var(--waived)}.v-not-applicable,.v-not-applicable a{color:var(--none)}
rect.v-pass{fill:var(--pass)}rect.v-fail{fill:var(--fail)}rect.v-error{fill:var(--error)}rect.v-unknown{fill:var(--unknown)}rect.v-waived{fill:var(--waived)}
.finding{border:1px solid var(--line);border-left:.3rem solid var(--none);border-radius:.3rem;padding:.5rem .75rem;margin:.75rem 0}
.finding.v-fail,.finding.v-error,.finding.v-unknown,.finding.v-waived{color:var(--text);font-weight:400}
.finding.v-fail{border-left-color:var(--fail)}.finding.v-error{border-left-color:var(--error)}.finding.v-unknown{border-left-color:var(--unknown)}.finding.v-waived{border-left-color:var(--waived)}
.finding:target{outline:2px solid var(--link)}.finding p{margin:.25rem 0}.finding ul{margin:.25rem 0;padding-left:1.25rem}
.remedy{white-space:pre-wrap}
pre{background:var(--soft);border:1px solid var(--line);border-radius:.3rem;padding:.5rem;overflow-x:auto;font:.85rem/1.4 ui-monospace,monospace;tab-size:4;margin:.5rem 0}
ins,del{text-decoration:none}ins{background:var(--add)}del{background:var(--del)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:40rem){body{padding:.6rem}.score{font-size:2rem}th[scope=row]{min-width:6rem}}
@media print{:root{color-scheme:light;--bg:#fff;--soft:#fff;--line:#999;--text:#000;--dim:#333;--link:#000;--pass:#136b2e;--fail:#b3121d;--error:#8a2a8f;--unknown:#7a5200;--waived:#0b57a4;--none:#333;--add:#fff;--del:#fff}
body{max-width:none;padding:0;font-size:10pt}.scroll{overflow:visible}pre{white-space:pre-wrap;overflow:visible}table{font-size:8pt}
thead{display:table-header-group}thead th{position:static}tr,.finding p{break-inside:avoid}h2,h3{break-after:avoid}}
`;
