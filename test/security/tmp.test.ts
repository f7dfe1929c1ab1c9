import { countSteps } from '../support/count-steps.ts';
import { it } from 'vitest';
import { readXml } from '../../src/core/xml.ts';
import { parseJson } from '../../src/core/json.ts';
it('x', async () => {
  for (const n of [1000,2000,4000]) {
    const a = performance.now();
    console.log(n, await countSteps(() => readXml(Buffer.from('<a>'+'<b>&amp;</b>'.repeat(n)+'</a>'), {maxBytes:1e7,maxDepth:4})), performance.now()-a);
    console.log(n, await countSteps(() => readXml(Buffer.from('<a>'+'<b>'.repeat(n)+'</a>'), {maxBytes:1e7,maxDepth:4})), performance.now()-a);
    console.log(n, await countSteps(() => parseJson(JSON.stringify(Array.from({length:n},(_,i)=>({a:'x'+i}))), {maxBytes:1e7})), performance.now()-a);
    console.log(n, await countSteps(() => parseJson('"'.repeat(n), {maxBytes:1e7})), performance.now()-a);
  }
});
