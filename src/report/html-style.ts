/** The look of the HTML report and of the web view: one column on a phone, plain on paper, light and dark. Text keeps a contrast of 4.5:1 on its background. */
export const htmlStyle = `
:root{color-scheme:light dark;--bg:#fff;--soft:#f4f6f8;--line:#cdd4dc;--text:#1a232e;--dim:#525d6a;--link:#0b57a4;
--pass:#11652a;--pass-bg:#e3f4e8;--fail:#ad0f1a;--fail-bg:#fde7e8;--error:#83258a;--error-bg:#f7e6f8;--unknown:#704b00;--unknown-bg:#fbf0d6;--waived:#0b57a4;--waived-bg:#e4effb;--none:#525d6a;--none-bg:#f4f6f8;
--add:#dcf3e1;--del:#fbe1e2}
@media (prefers-color-scheme:dark){:root{--bg:#13171c;--soft:#1d232a;--line:#3c4652;--text:#e5eaef;--dim:#a7b2bd;--link:#8fc3f7;
--pass:#85d698;--pass-bg:#15301c;--fail:#ffa3a3;--fail-bg:#42191d;--error:#e6aaeb;--error-bg:#391c3c;--unknown:#ecc46a;--unknown-bg:#352808;--waived:#8fc3f7;--waived-bg:#142b44;--none:#a7b2bd;--none-bg:#1d232a;
--add:#173a22;--del:#4a1d20}}
*{box-sizing:border-box}html{scroll-padding-top:1rem}
body{margin:0;background:var(--bg);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
body>header,main,body>footer{max-width:78rem;margin:0 auto;padding:0 1.25rem}
body>header{padding-top:1.25rem}main{padding-bottom:3rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}h2{font-size:1.2rem;margin:2.25rem 0 .75rem}h3{font-size:1rem;margin:0}
p{margin:.35rem 0}a{color:var(--link)}a:focus-visible,summary:focus-visible,.scroll:focus-visible,input:focus-visible,select:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.dim{color:var(--dim)}small,.small{font-size:.875rem}
code,pre{font-family:ui-monospace,monospace;font-size:.875em}
.skip{position:absolute;left:-100rem}.skip:focus{left:1rem;top:.5rem;background:var(--bg);padding:.25rem .5rem;z-index:2}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;padding:0;margin:.75rem 0 0}
.summary{display:grid;grid-template-columns:minmax(16rem,2fr) 3fr;gap:1rem;margin-top:1.25rem}.summary>section{border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.25rem;min-width:0}.summary h2{margin:0 0 .25rem;font-size:1rem}
.score{font-size:3rem;font-weight:700;line-height:1.1;margin:.25rem 0}
.counts{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem;padding:0;margin:.75rem 0 0}
.badge{display:inline-block;border:1px solid currentColor;border-radius:1rem;padding:.05rem .6rem;font-size:.875rem;font-weight:600;white-space:nowrap}
.bar{display:block;width:100%;height:.8rem;border-radius:.4rem;margin:.75rem 0}
.plot{display:block;width:100%;height:auto;max-height:13rem}.plot text{font-size:13px;fill:var(--dim)}.plot .grid{stroke:var(--line)}.plot .curve{fill:none;stroke:var(--link);stroke-width:2}.plot .dot{fill:var(--link)}
.scroll{overflow-x:auto;margin:.5rem 0;position:relative}time{white-space:nowrap}abbr{text-decoration:none}
table{border-collapse:separate;border-spacing:0;font-size:.9rem;overflow-wrap:break-word}
th,td{border-bottom:1px solid var(--line);padding:.35rem .6rem;text-align:left;vertical-align:top}
thead th{border-bottom-width:2px;white-space:nowrap}th[scope=row]{font-weight:400;min-width:9rem;max-width:30rem}
.matrix th[scope=row]{position:sticky;left:0;background:var(--bg);border-right:1px solid var(--line)}
td.cell{position:relative;text-align:center;white-space:nowrap;border-left:2px solid var(--bg);padding:.35rem .5rem;min-width:3rem}td.cell a{color:inherit;text-decoration:none;display:block;font-weight:700}td.cell a:hover{text-decoration:underline}
.number{text-align:right;font-variant-numeric:tabular-nums}
.wide{width:100%}
.v-pass,.s-ok{color:var(--pass);background:var(--pass-bg)}.v-fail,.s-failed{color:var(--fail);background:var(--fail-bg)}.v-error,.s-unreachable{color:var(--error);background:var(--error-bg)}
.v-unknown,.s-changed{color:var(--unknown);background:var(--unknown-bg)}.v-waived,.s-running{color:var(--waived);background:var(--waived-bg)}.v-not-applicable,.s-none{color:var(--none);background:var(--none-bg)}
rect.v-pass{fill:var(--pass)}rect.v-fail{fill:var(--fail)}rect.v-error{fill:var(--error)}rect.v-unknown{fill:var(--unknown)}rect.v-waived{fill:var(--waived)}
.rule{margin:1.5rem 0}.rule>p{max-width:60rem}
.finding{border:1px solid var(--line);border-left:.35rem solid var(--none);border-radius:.4rem;padding:.6rem .9rem;margin:.6rem 0;background:var(--bg);color:var(--text)}
.finding.v-fail{border-left-color:var(--fail)}.finding.v-error{border-left-color:var(--error)}.finding.v-unknown{border-left-color:var(--unknown)}.finding.v-waived{border-left-color:var(--waived)}
.finding:target{outline:3px solid var(--link)}.finding ul{margin:.35rem 0;padding-left:1.25rem}
.remedy{white-space:pre-wrap;border-left:2px solid var(--line);padding-left:.6rem}
pre{background:var(--soft);border:1px solid var(--line);border-radius:.4rem;padding:.6rem;overflow-x:auto;line-height:1.45;tab-size:4;margin:.5rem 0}
ins,del{text-decoration:none;display:inline-block;min-width:100%}ins{background:var(--add)}del{background:var(--del)}
details{margin:.5rem 0}summary{cursor:pointer;width:fit-content}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:48rem){body>header,main,body>footer{padding-left:.8rem;padding-right:.8rem}.summary{grid-template-columns:minmax(0,1fr)}th[scope=row]{min-width:7rem;max-width:11rem}.plot text{font-size:22px}}
@page{margin:14mm}
@media print{:root{color-scheme:light;--bg:#fff;--soft:#fff;--line:#999;--text:#000;--dim:#333;--link:#000;--pass:#11652a;--fail:#ad0f1a;--error:#83258a;--unknown:#704b00;--waived:#0b57a4;--none:#333;--pass-bg:#fff;--fail-bg:#fff;--error-bg:#fff;--unknown-bg:#fff;--waived-bg:#fff;--none-bg:#fff;--add:#eee;--del:#fff}
body{font-size:9.5pt}.small,small,.badge{font-size:8.5pt}body>header,main,body>footer{max-width:none;padding:0}nav,.skip{display:none}.scroll{overflow:visible}pre{white-space:pre-wrap;overflow:visible}table{font-size:8pt}th,td{padding:.2rem .3rem}thead th{white-space:normal}td.cell{min-width:0}.matrix th[scope=row]{position:static}
.summary{grid-template-columns:2fr 3fr}.plot text{font-size:15px}thead{display:table-header-group}tr,.summary>section,.finding p,.finding li{break-inside:avoid}h2,h3,.rule>p{break-after:avoid}del{text-decoration:line-through}}
`;
