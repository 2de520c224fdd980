//! Java archives: the directory of a zip, manifests, and archives in archives. The first byte chooses the lengths
//! of the pieces in which the file comes, the rest is the file.

use seareeve_scan::Scanner;
use zip::CompressionMethod;

use crate::Target;
use crate::made::{self, Entry};

pub(super) const TARGET: Target = Target {
    name: "java_archives",
    run,
    longest: 4 << 10,
    seeds,
    words: &[
        "PK\u{1}\u{2}",
        "PK\u{3}\u{4}",
        "PK\u{5}\u{6}",
        "PK\u{6}\u{6}",
        "PK\u{6}\u{7}",
        "META-INF/MANIFEST.MF",
        "META-INF/maven/g/a/pom.properties",
        "WEB-INF/lib/a-1.0.jar",
        "BOOT-INF/lib/",
        ".jar",
        ".class",
        "version=1.0\n",
        "groupId=g\n",
        "artifactId=a\n",
        "Implementation-Title: ",
        "Implementation-Version: ",
        "Implementation-Vendor-Id: ",
        "Bundle-SymbolicName: ",
        "Bundle-Version: ",
        "Specification-Version: ",
    ],
};

const PATH: &str = "app/tool-1.0.jar";

fn run(input: &[u8]) {
    let Some((pieces, content)) = input.split_first() else {
        return;
    };
    made::same_in_pieces(Scanner::Vulnerabilities, PATH, content, *pieces);
    made::inventory(&[vec![Entry::File(PATH.as_bytes(), content)]]);
}

fn seeds() -> Vec<Vec<u8>> {
    let properties = b"version=1.0\ngroupId=org.x\nartifactId=a\n".as_slice();
    let manifest = b"Manifest-Version: 1.0\r\nImplementation-Title: tool\r\nImplementation-Version: 1.0\r\nImplementation-Vendor-Id: org.x\r\nBundle-SymbolicName: org.x.tool;a=b\r\nBundle-Version: 1.0.0\r\n long\r\n\r\n".as_slice();
    let mut seeds = Vec::new();
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let library = made::zip(
            method,
            &[
                ("META-INF/maven/org.x/a/pom.properties", properties),
                ("a/B.class", b""),
            ],
        );
        let war = made::zip(
            method,
            &[
                ("META-INF/MANIFEST.MF", manifest),
                ("WEB-INF/lib/a-1.0.jar", &library),
                ("WEB-INF/lib/b-2.0.jar", b"PK"),
            ],
        );
        let nested = made::zip(method, &[("x.war", &war)]);
        let mut behind = b"#!/bin/sh\nexec java -jar \"$0\"\n".to_vec();
        behind.extend(&library);
        for (pieces, archive) in [(0_u8, library), (6, war), (255, nested), (9, behind)] {
            let mut seed = vec![pieces];
            seed.extend(archive);
            seeds.push(seed);
        }
    }
    seeds
}
