// Writes an object and reads it each second for the given time, with what is in the environment and nothing else.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func main() {
	ctx := context.Background()
	seconds, err := strconv.Atoi(os.Args[1])
	must(err)
	settings, err := config.LoadDefaultConfig(ctx)
	must(err)
	client := s3.NewFromConfig(settings)
	bucket, key := aws.String("data"), aws.String("from-go")
	_, err = client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: bucket, Key: key, Body: strings.NewReader("written by the SDK for Go"),
	})
	must(err)
	var text []byte
	for range seconds {
		time.Sleep(time.Second)
		object, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
		must(err)
		text, err = io.ReadAll(object.Body)
		must(err)
	}
	fmt.Println(string(text))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
