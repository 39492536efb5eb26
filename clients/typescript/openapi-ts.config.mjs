// The options of the generator. The environment variable GENERATED overrides the output directory.
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export default {
  input: path('../../docs/openapi.json'),
  output: {
    path: process.env.GENERATED ?? path('src/generated'),
    entryFile: false,
    module: { extension: '.js' },
  },
  logs: { file: false },
  plugins: [
    '@hey-api/typescript',
    // The HTTP client that the operations import, in place of one of the generator's.
    { name: '../transport.js', tags: ['client'], config: { name: '../transport.js' }, dependencies: [], handler() {} },
    { name: '@hey-api/sdk', client: false, operations: { strategy: 'single', containerName: 'Operations' } },
  ],
};
