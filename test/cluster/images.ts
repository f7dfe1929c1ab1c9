/**
 * The images of the tests, under the names that the chart, the manifests and the README use, so that those are followed
 * literally. `test/cluster/images.sh` builds them.
 */
export const images = {
  product: 'docker.io/library/sts-sidecar:0.1.0',
  store: 'docker.io/versity/versitygw:v1.8.0',
  client: 'docker.io/amazon/aws-cli:2.31.0',
} as const;
