/**
 * Answers the health protocol of gRPC with nothing but busybox: for a container that a gRPC probe
 * asks at its pod's own address.
 */

/**
 * A shell's lines that listen on a port and answer each call with SERVING. It reads as much of HTTP/2
 * (RFC 9113) as it takes to know that the client has asked: frame by frame, each with nine bytes of
 * length, type, flags and stream before it, up to the DATA frame that ends the stream.
 */
export const servesGrpc = (port: number): string => `
cat > /dev/shm/health <<'EOF'
take() { dd bs=1 count=$1 2> /dev/null; }
# SETTINGS: ours, and that those of the client are known.
printf '\\0\\0\\0\\4\\0\\0\\0\\0\\0\\0\\0\\0\\4\\1\\0\\0\\0\\0'
take 24 > /dev/null # what every client begins with
while :; do
  set -- $(take 9 | hexdump -v -e '1/1 "%u "')
  [ $# = 9 ] || exit 1
  take $(($1 * 65536 + $2 * 256 + $3)) > /dev/null
  [ $4 = 0 ] && [ $(($5 & 1)) = 1 ] && break
done
# HEADERS: status 200; DATA: a message of two bytes, field 1 is 1; HEADERS that end the stream.
printf '\\0\\0\\40\\1\\4\\0\\0\\0\\1\\210\\0\\14content-type\\20application/grpc'
printf '\\0\\0\\7\\0\\0\\0\\0\\0\\1\\0\\0\\0\\0\\2\\10\\1'
printf '\\0\\0\\17\\1\\5\\0\\0\\0\\1\\0\\13grpc-status\\1\\60'
take 1 > /dev/null # nothing comes: the client hangs up
EOF
nc -ll -p ${port} -e sh /dev/shm/health &`;
