// Uploads a file with minio-go, which signs each chunk over plain HTTP, and ends with a signed checksum when it is asked for one.
package main

import (
	"context"
	"log"
	"os"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Arguments: host:port, bucket, key, file, and `checksum` for a trailer. Credentials come from the environment.
func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal("host:port bucket key file [checksum]")
	}
	hasChecksum := len(os.Args) > 5 && os.Args[5] == "checksum"
	client, err := minio.New(os.Args[1], &minio.Options{
		Creds:           credentials.NewEnvAWS(),
		Region:          "us-east-1",
		BucketLookup:    minio.BucketLookupPath,
		TrailingHeaders: hasChecksum,
	})
	if err != nil {
		log.Fatal(err)
	}
	options := minio.PutObjectOptions{PartSize: 16 << 20}
	if hasChecksum {
		options.Checksum = minio.ChecksumCRC32C
	}
	if _, err = client.FPutObject(context.Background(), os.Args[2], os.Args[3], os.Args[4], options); err != nil {
		log.Fatal(minio.ToErrorResponse(err).Code, ": ", err)
	}
}
