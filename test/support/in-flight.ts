/** How many requests of S3 and STS a sidecar is answering, by its metrics. */
export async function requestsInFlight(sidecar: { readonly adminUrl: string }): Promise<number> {
  const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  return Number(/^sts_sidecar_requests_in_flight\{listener="s3"\} (\d+)$/m.exec(metrics)?.[1]);
}
