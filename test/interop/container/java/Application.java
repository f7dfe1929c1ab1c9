import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/** Writes an object and reads it each second for the given time, with what is in the environment and nothing else. */
final class Application {
    public static void main(String[] arguments) throws InterruptedException {
        // Over plain http this SDK otherwise signs each chunk of an upload by itself.
        try (S3Client s3 = S3Client.builder().serviceConfiguration(s -> s.chunkedEncodingEnabled(false)).build()) {
            s3.putObject(
                    put -> put.bucket("data").key("from-java"),
                    RequestBody.fromString("written by the SDK for Java"));
            String text = "";
            for (int second = 0; second < Integer.parseInt(arguments[0]); second++) {
                Thread.sleep(1_000);
                text = s3.getObjectAsBytes(get -> get.bucket("data").key("from-java")).asUtf8String();
            }
            System.out.println(text);
        }
    }
}
