/** What the web view needs beyond the report's style. */
export const webStyle = `
nav a[aria-current]{font-weight:700;text-decoration:none;color:var(--text)}
header nav ul{margin:0 0 .75rem}
.counts a{text-decoration:none}
.facts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:.5rem 0 1rem}.facts dt{color:var(--dim);font-size:.875rem}.facts dd{margin:0}
.live{list-style:none;padding:0;max-height:24rem;overflow-y:auto;border:1px solid var(--line);border-radius:.4rem}.live:empty{display:none}
.live li{padding:.15rem .6rem;font-family:ui-monospace,monospace;font-size:.875rem}
input,select,button{font:inherit;color:var(--text);background:var(--bg);border:1px solid var(--dim);border-radius:.3rem;padding:.25rem .5rem}
button{background:var(--soft);cursor:pointer}label{margin-right:.25rem}select,input{margin-right:.75rem}
th[scope=row] a{font-weight:600}
`;
