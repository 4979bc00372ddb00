import java.security.MessageDigest

plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

val lceLite = file("libs/lce-lite-0.16.0.aar")

android {
    namespace = "org.larq.irnet.sample"
    compileSdk = 34

    defaultConfig {
        applicationId = "org.larq.irnet.sample"
        minSdk = 26
        targetSdk = 34
        versionCode = 1
        versionName = "1.0"
        // Only this part of the AAR has optimised binary convolutions.
        ndk { abiFilters += "arm64-v8a" }
    }

    // A compressed model cannot be mapped into memory.
    androidResources { noCompress += "tflite" }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    kotlinOptions { jvmTarget = "17" }
}

dependencies {
    // The AAR is an asset of a release, in no repository. It brings Interpreter with
    // it: a second tensorflow-lite would give duplicate classes.
    implementation(files(lceLite))
}

val checkLceLite by tasks.registering {
    val expected = providers.gradleProperty("lceLiteSha256")
    doLast {
        if (!lceLite.isFile) {
            throw GradleException(
                "Expected $lceLite, found none. Take lce-lite-0.16.0.aar of release " +
                    "v0.16.0 of github.com/larq/compute-engine."
            )
        }
        val digest = MessageDigest.getInstance("SHA-256").digest(lceLite.readBytes())
        val actual = digest.joinToString("") { "%02x".format(it) }
        if (!expected.isPresent) {
            logger.warn("${lceLite.name} is unchecked; its SHA-256 is $actual")
        } else if (!expected.get().equals(actual, ignoreCase = true)) {
            throw GradleException(
                "Expected ${lceLite.name} to have SHA-256 ${expected.get()}, got $actual."
            )
        }
    }
}

tasks.named("preBuild") { dependsOn(checkLceLite) }
